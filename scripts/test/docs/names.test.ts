import { basename, dirname, join } from "node:path";
import { SETTINGS } from "@synap/service/environment-names";
import { describe, expect, it } from "vitest";
import { isPathOf, routesOfApi } from "./api-routes.ts";
import { files, type Page, pages, read } from "./documentation.ts";

// What a page names in `backticks` has to exist: files, environment variables, routes, metrics, error codes, functions.

interface Mention {
  readonly page: Page;
  readonly code: string;
  readonly where: string;
}

const mentions: readonly Mention[] = pages.flatMap((page) =>
  ourNames(page).flatMap((line, index) =>
    [...line.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => ({
      page,
      code,
      where: `${page.path}:${index + 1}: ${code}`,
    })),
  ),
);

/** The lines of a page, without the column of names that the original documents use. */
function ourNames({ path, prose }: Page): string[] {
  const lines = prose.split("\n");
  return path === "docs/original-names.md" ? lines.map((line) => line.replace(/^\|[^|]*\|/, "")) : lines;
}

/** The mentions of a form for which `exists` does not hold. */
function missing(form: RegExp, exists: (found: RegExpExecArray, mention: Mention) => boolean): string[] {
  return mentions.flatMap((mention) => {
    const found = form.exec(mention.code);
    return found === null || exists(found, mention) ? [] : [mention.where];
  });
}

/** Everything but the documentation and what is generated. */
const sources = files
  .filter((file) =>
    /\.(ts|mjs|sql|ya?ml|json|toml|css|html)$|(^|\/)(Dockerfile|run|timescaledb|pgbouncer|\.env\.example)$/.test(
      file,
    ),
  )
  .filter((file) => !/pnpm-lock|baseline|^scripts\/test\/docs\//.test(file))
  .map(read)
  .join("\n");
const words = new Set(sources.match(/[A-Za-z_$][\w$]*/g));
const keys = new Set(sources.match(/[a-z0-9]+(?:-[a-z0-9]+)+/g));

/** Names of others that our code never uses. */
const foreign = new Set([
  "Expect",
  "step.ai.infer",
  "query_timeout",
  "query_wait_timeout",
  "max_standby_streaming_delay",
  "max_slot_wal_keep_size",
]);

const FILE = /^[\w.@{},*/-]+\.(?:ts|mjs|sql|json|ya?ml|md|txt|html)$/;
const BELOW_A_FOLDER = /^(?:apps|packages|scripts|bench|docs|examples|\.ci|\.github)\/\S*$/;

describe("what the documentation names", () => {
  it("are files that exist", () => {
    const paths = new Set([...files, ...files.flatMap(parents)]);
    // Every end of a path: "test/start.e2e.test.ts" is that of "scripts/test/start.e2e.test.ts".
    const ends = new Set(files.flatMap(endsOf));
    const strays = missing(new RegExp(`${FILE.source}|${BELOW_A_FOLDER.source}`), ([code], { page }) => {
      // "NNNN_name.sql" and "...-contract.ts" stand for several files.
      const path = code.replace(/NNNN_\w+|\.\.\./, "*").replace(/\/$/, "");
      return (
        [path, join(dirname(page.path), path)].some((each) => paths.has(each)) ||
        ends.has(path) ||
        (path.includes("*") && [...ends].some((end) => asPattern(path).test(end))) ||
        // A file of the reader's, which the code or a block of the page names too.
        sources.includes(basename(path)) ||
        page.blocks.some(({ text }) => text.includes(basename(path)))
      );
    });
    expect(strays).toEqual([]);
  });

  it("are environment variables that the code reads", () => {
    const variable = /^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(=\S*)?$/;
    expect(missing(variable, ([, name = ""]) => words.has(name))).toEqual([]);
  });

  it("includes every setting", () => {
    const text = pages
      .filter(({ path }) => path.startsWith("docs/") && !path.startsWith("docs/decisions/"))
      .flatMap(({ prose, blocks }) => [prose, ...blocks.map((block) => block.text)])
      .join("\n");
    const named = new Set(text.match(/\bSYNAP_[A-Z_]+/g));
    expect(SETTINGS.filter((setting) => !named.has(setting))).toEqual([]);
  });

  it("are routes of the API", async () => {
    const routes = await routesOfApi();
    const route = /^(?:(GET|POST|PUT|DELETE|PATCH) )?(\/(?:api|healthz|readyz|metrics|openapi)\b[^\s?]*)/;
    const strays = missing(route, ([, method, path = ""]) =>
      routes.some(
        (each) => (method ?? each.method) === each.method && isPathOf(path, each.path, method === undefined),
      ),
    );
    expect(strays).toEqual([]);
  });

  it("are words of the code", () => {
    const strays = missing(/^[A-Za-z$][\w$.]*(?:\(.*\))?$|^[a-z0-9]+(?:-[a-z0-9]+)+$/, ([code], { page }) => {
      // Decisions name what was not taken; PostgreSQL's own functions need no use here.
      if (
        page.path.startsWith("docs/decisions/") ||
        foreign.has(code) ||
        /^pg_/.test(code) ||
        FILE.test(code)
      ) {
        return true;
      }
      const shown = new Set(page.blocks.flatMap(({ text }) => text.match(/[A-Za-z_$][\w$]*/g) ?? []));
      const name = code.replace(/\(.*|_\d+$|_\.\.\.$/, "");
      return keys.has(code) || name.split(".").every((word) => words.has(word) || shown.has(word));
    });
    expect(strays).toEqual([]);
  });
});

function parents(path: string): string[] {
  const parent = dirname(path);
  return parent === "." ? [] : [parent, ...parents(parent)];
}

function endsOf(path: string): string[] {
  const segments = path.split("/");
  return segments.map((_, index) => segments.slice(index).join("/"));
}

/** A glob with `*` and `**` as a pattern. */
function asPattern(glob: string): RegExp {
  const escaped = glob
    .replaceAll(/[.+^$()|[\]\\]/g, "\\$&")
    .replaceAll(/\{(.*?)\}/g, "(?:$1)")
    .replaceAll(",", "|");
  return new RegExp(`^${escaped.replaceAll(/\*+/g, (stars) => (stars.length > 1 ? ".*" : "[^/]*"))}$`);
}
