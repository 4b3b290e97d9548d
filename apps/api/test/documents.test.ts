import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Validator } from "@seriousme/openapi-schema-validator";
import { PROBLEM_CODES } from "@synap/types/http";
import { describe, expect, it } from "vitest";
import { unservedApp } from "../testing/unserved-app.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const errorsPage = readFileSync(join(root, "docs/errors.md"), "utf8");
const documented = new Set([...errorsPage.matchAll(/`([a-z0-9-]+)`/g)].map(([, code]) => code));

/** All sources below a folder, tests aside, as one text. */
function sources(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const code = files.filter(
    (file) => file.endsWith(".ts") && !file.includes("test") && !file.includes("catalogue/"),
  );
  return code.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
}

describe("docs/errors.md", () => {
  it("has a row for every problem, with its status", () => {
    for (const [code, { status }] of Object.entries(PROBLEM_CODES)) {
      expect(errorsPage).toContain(`| \`${code}\` | ${status} |`);
    }
  });

  it("knows no problem that does not exist", () => {
    const rows = [...errorsPage.matchAll(/^\| `([a-z0-9-]+)` \| \d{3} \|/gm)].map(([, code]) => code);
    expect(rows.sort()).toEqual(Object.keys(PROBLEM_CODES).sort());
  });

  it("explains every code that an issue of an event can have", () => {
    const written = [sources(join(root, "packages/types/src")), sources(join(root, "apps/api/src"))].join(
      "\n",
    );
    const codes = [
      ...written.matchAll(
        /\b(?:code: |report\(\s*|fault\(\s*|invalid_\w+: |too_\w+: |not_\w+: )"([a-z]+(?:-[a-z0-9]+)*)"/g,
      ),
    ];
    expect(codes.length).toBeGreaterThan(20);
    expect(
      codes.map(([, code]) => code).filter((code) => code !== "custom" && !documented.has(code)),
    ).toEqual([]);
  });

  it("covers every problem that the code throws", () => {
    const thrown = [...sources(join(root, "apps/api/src")).matchAll(/new Problem\(\s*"([a-z-]+)"/g)].map(
      ([, code]) => code ?? "",
    );
    expect(thrown.length).toBeGreaterThan(20);
    for (const code of thrown) expect(PROBLEM_CODES).toHaveProperty(code);
  });
});

describe("GET /openapi.json", () => {
  it("is a valid OpenAPI 3.1 document in which every route is described", async () => {
    const app = unservedApp();
    const document = JSON.parse(await (await app.request("/openapi.json")).text());
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(document));
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(document.openapi).toMatch(/^3\.1/);
    const described = Object.entries<Record<string, unknown>>(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    // Those are for people who read the document.
    const pages = ["/docs", "/docs/", "/redoc", "/redoc/", "/sign-in", "/viewers/:file"];
    const routes = app.routes.filter(({ method, path }) => method !== "ALL" && !pages.includes(path));
    expect(described.sort()).toEqual(
      routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`).sort(),
    );
  });

  it("refers only to what is in it", async () => {
    const text = await (await unservedApp().request("/openapi.json")).text();
    const { components } = JSON.parse(text);
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(components.schemas).toHaveProperty(name ?? "");
    expect(text).not.toContain("#/$defs");
  });
});
