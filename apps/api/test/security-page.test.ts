import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SCOPE_MEANINGS } from "@synap/types/http";
import { expect, it } from "vitest";
import { unservedApp } from "../testing/unserved-app.ts";

const page = fileURLToPath(new URL("../../../docs/security.md", import.meta.url));
const TABLE = /(<!-- routes:[^>]*-->\n)[\s\S]*?(\n<!-- end of routes -->)/;

const NOBODY = "none";
const ANYBODY = "any, or none";

interface Described {
  readonly security: readonly { readonly bearer?: readonly string[] }[];
}

async function routesByScope(): Promise<string> {
  const document = JSON.parse(await (await unservedApp().request("/openapi.json")).text());
  const byScope = new Map<string, string[]>();
  for (const [path, methods] of Object.entries<Record<string, Described>>(document.paths)) {
    for (const [method, { security }] of Object.entries(methods)) {
      const scope = security.length === 0 ? NOBODY : (security[0]?.bearer?.[0] ?? ANYBODY);
      byScope.set(scope, [...(byScope.get(scope) ?? []), `\`${method.toUpperCase()} ${path}\``]);
    }
  }
  const rows = [NOBODY, ANYBODY, ...Object.keys(SCOPE_MEANINGS)].flatMap((scope) => {
    const routes = byScope.get(scope);
    const shown = Object.hasOwn(SCOPE_MEANINGS, scope) ? `\`${scope}\`` : scope;
    return routes === undefined ? [] : `| ${shown} | ${routes.join(", ")} |`;
  });
  return ["", "| scope | routes |", "| --- | --- |", ...rows, ""].join("\n");
}

it("docs/security.md has the routes of each scope", async () => {
  const text = readFileSync(page, "utf8");
  const table = await routesByScope();
  const current = text.replace(TABLE, (_, begin: string, end: string) => `${begin}${table}${end}`);
  if (process.env["UPDATE_PAGES"] === "1") writeFileSync(page, current);
  else expect(text).toBe(current);
});
