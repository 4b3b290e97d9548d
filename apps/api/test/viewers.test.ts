import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readViewerFile, VIEWER_FILES } from "../src/viewers/viewer-files.ts";
import { unservedApp } from "../testing/unserved-app.ts";

const app = unservedApp();
const get = (path: string, headers: Record<string, string> = {}) => app.request(path, { headers });

describe.each(["/docs", "/redoc"])("GET %s", (path) => {
  it("is a page that runs no inline script, evaluates no text and asks no other server", async () => {
    const response = await get(path);
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      "text/html; charset=utf-8",
    ]);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).not.toContain("unsafe");
    expect(policy).not.toMatch(/https?:|\*/);
    expect(policy.split("; ")).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ]),
    );
    const page = await response.text();
    expect(page).not.toMatch(/https?:\/\/|<script>|<style| style=| on\w+=/);
  });

  it("is where its address with a slash leads, also below the path of a proxy", async () => {
    const response = await get(`${path}/`);
    expect(response.status).toBe(308);
    const location = response.headers.get("location") ?? "";
    for (const base of ["http://synap.test", "http://synap.test/behind/a/proxy"]) {
      expect(new URL(location, `${base}${path}/`).href).toBe(`${base}${path}`);
    }
  });

  it("names only files that are there", async () => {
    const page = await (await get(path)).text();
    const files = [...page.matchAll(/(?:src|href)="(viewers\/[^"]+)"/g)].map(([, file]) => file);
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) expect([file, (await get(`/${file}`)).status]).toEqual([file, 200]);
  });
});

describe("the files of the viewers", () => {
  it.each(VIEWER_FILES)(
    "%s is sent as it is kept, compressed, and in full to those who don't take that",
    async (file) => {
      const original = gunzipSync(readViewerFile(file));
      const compressed = await get(`/viewers/${file}`, { "accept-encoding": "br, gzip" });
      expect(compressed.headers.get("content-encoding")).toBe("gzip");
      expect(compressed.headers.get("content-type")).toMatch(
        file.endsWith(".css") ? /^text\/css/ : /^text\/javascript/,
      );
      expect(gunzipSync(await compressed.arrayBuffer()).equals(original)).toBe(true);
      for (const refusal of ["identity", "gzip;q=0, br"]) {
        const full = await get(`/viewers/${file}`, { "accept-encoding": refusal });
        expect(full.headers.get("content-encoding")).toBe(null);
        expect(Buffer.from(await full.arrayBuffer()).equals(original)).toBe(true);
      }
    },
  );

  it("are sent once: a browser that has one gets 304", async () => {
    const first = await get("/viewers/swagger-ui.js");
    const again = await get("/viewers/swagger-ui.js", {
      "if-none-match": first.headers.get("etag") ?? "",
    });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    for (const name of ["cache-control", "etag", "vary"])
      expect([name, again.headers.get(name)]).toEqual([name, first.headers.get(name)]);
  });

  it.each(["nothing.js", "constructor", "..%2fpage.css"])("has no %s", async (file) => {
    const response = await get(`/viewers/${file}`);
    expect([response.status, JSON.parse(await response.text()).code]).toEqual([404, "route-not-found"]);
  });
});

describe("GET /", () => {
  it("leads to both viewers", async () => {
    const page = await (await get("/", { accept: "text/html" })).text();
    expect(page).toContain('<a href="/docs">');
    expect(page).toContain('<a href="/redoc">');
  });
});
