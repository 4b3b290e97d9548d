import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../../../..");

/** Names of cookies, which look like those of metrics. */
const COOKIES: readonly string[] = ["synap_session", "synap_sign_in"];

/** The names of metrics in string literals of the code. */
function namesInCode(): Set<string> {
  const names = new Set<string>();
  for (const folder of ["apps/api/src", "apps/worker/src", "packages/service/src"]) {
    for (const file of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".ts") || file.endsWith(".test.ts")) continue;
      const text = readFileSync(join(root, folder, file), "utf8");
      for (const [, name] of text.matchAll(/"(synap_[a-z_]+)"/g)) {
        if (name !== undefined && !COOKIES.includes(name)) names.add(name);
      }
    }
  }
  return names;
}

/** The names in the first column of the tables of a section. */
function namesInDocs(): Set<string> {
  const page = readFileSync(join(root, "docs/operating.md"), "utf8");
  const section = /^## Metrics\n(.*?)^## /ms.exec(page)?.[1] ?? "";
  const firstCells = section.split("\n").flatMap((line) => /^\| (.*?) \|/.exec(line)?.[1] ?? []);
  return new Set(
    firstCells.flatMap((cell) => [...cell.matchAll(/`(synap_[a-z_]+)`/g)].map(([, name]) => name ?? "")),
  );
}

it("docs/operating.md lists every metric that API and worker expose, and no other", () => {
  const inCode = [...namesInCode()].sort();
  expect(inCode.length).toBeGreaterThan(30);
  expect([...namesInDocs()].sort()).toEqual(inCode);
});
