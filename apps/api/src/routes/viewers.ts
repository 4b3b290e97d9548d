import { gunzipSync } from "node:zlib";
import { scriptedPageHeaders } from "@synap/http";
import type { ApiApp, ApiContext } from "../api-dependencies.ts";
import { Problem } from "../problems/problem.ts";
import { RELEASE } from "../release.ts";
import { responseHeaders } from "../response-headers.ts";
import { isViewerFile, readViewerFile, type ViewerFile } from "../viewers/viewer-files.ts";
import { hashOf, notModified } from "./conditional-response.ts";
import { registerPage } from "./route-registration.ts";

interface Viewer {
  readonly path: string;
  readonly name: string;
  readonly styles: readonly ViewerFile[];
  /** In the order in which they run. */
  readonly scripts: readonly ViewerFile[];
  readonly headers: Readonly<Record<string, string>>;
}

const VIEWERS: readonly Viewer[] = [
  {
    path: "/docs",
    name: "Swagger UI",
    styles: ["swagger-ui.css", "page.css"],
    scripts: ["swagger-ui.js", "swagger-page.js"],
    headers: scriptedPageHeaders(),
  },
  {
    path: "/redoc",
    name: "ReDoc",
    styles: ["page.css"],
    scripts: ["redoc.js", "redoc-page.js"],
    headers: scriptedPageHeaders({
      // It writes its rules into empty style elements, without their text; the other is the style of its scroll bars.
      styleHashes: [
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc=",
      ],
      // The index of its search.
      hasBlobWorkers: true,
    }),
  },
];

/** GET /docs and GET /redoc, and the files that they load. Everything comes from the installation. */
export function viewerRoutes(app: ApiApp): void {
  for (const viewer of VIEWERS) {
    const page = pageOf(viewer);
    const headers = { ...viewer.headers, "content-type": "text/html; charset=utf-8" };
    registerPage(
      app,
      viewer.path,
      (context) => new Response(page, { headers: responseHeaders(context.get("requestId"), headers) }),
    );
    // Its links are relative to the address without the slash. So is this one, because a proxy may serve it below a path of its own.
    registerPage(
      app,
      `${viewer.path}/`,
      (context) =>
        new Response(null, {
          status: 308,
          headers: responseHeaders(context.get("requestId"), { location: `..${viewer.path}` }),
        }),
    );
  }
  registerPage(app, "/viewers/{file}", (context) => {
    const name = context.req.param("file") ?? "";
    if (!isViewerFile(name)) throw new Problem("route-not-found", `There is no file ${name.slice(0, 64)}.`);
    return sendFile(context, name);
  });
}

/** A file in both forms, so that no request has to decompress it. */
interface SentFile {
  readonly compressed: Uint8Array<ArrayBuffer>;
  readonly full: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

const sent = new Map<ViewerFile, SentFile>();

/** Reads a file and decompresses it. */
function readFile(name: ViewerFile): SentFile {
  const compressed = readViewerFile(name);
  return {
    compressed: new Uint8Array(compressed),
    full: new Uint8Array(gunzipSync(compressed)),
    etag: `W/"${hashOf(compressed)}"`,
  };
}

/** Sends a file compressed, which every browser takes; anybody else gets it in full. */
function sendFile(context: ApiContext, name: ViewerFile): Response {
  const file = sent.get(name) ?? readFile(name);
  sent.set(name, file);
  const { compressed, full, etag } = file;
  // It holds nothing of anybody, and changes with the release only.
  const headers = { "cache-control": "no-cache", vary: "accept-encoding" };
  const unchanged = notModified(context, etag, headers);
  if (unchanged !== undefined) return unchanged;
  const takesGzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(
    context.req.header("accept-encoding") ?? "",
  );
  return new Response(takesGzip ? compressed : full, {
    headers: responseHeaders(context.get("requestId"), {
      ...headers,
      ...(takesGzip && { "content-encoding": "gzip" }),
      "content-type": `${name.endsWith(".css") ? "text/css" : "text/javascript"}; charset=utf-8`,
      etag,
    }),
  });
}

function pageOf({ path, name, styles, scripts }: Viewer): string {
  const links = VIEWERS.map(
    (each) =>
      `<a href="${each.path.slice(1)}"${each.path === path ? ' aria-current="page"' : ""}>${each.name}</a>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Synap API: ${name}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
${styles.map((file) => `<link rel="stylesheet" href="viewers/${file}">`).join("\n")}
</head><body><nav class="pages" aria-label="Pages"><span>Synap ${RELEASE}</span>${links.join("")}<a href="openapi.json">openapi.json</a></nav>
<noscript>These pages need JavaScript. The document that they show: <a href="openapi.json">openapi.json</a></noscript>
<main id="viewer"></main>
${scripts.map((file) => `<script src="viewers/${file}"></script>`).join("\n")}
</body></html>`;
}
