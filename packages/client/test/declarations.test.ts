import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { z } from "zod";
import { printProblems, printResources } from "../print-types.ts";

const folder = join(import.meta.dirname, "..");

/** A program that compiles if the printed declarations and the schemas describe the same types. */
const COMPARISON = `
import type * as http from "@synap/types/http";
import type { z } from "zod";
import type { ProblemCode, ProblemDocument } from "./problems.js";
import type { Resources } from "./resources.js";
import type { Resources as Wrong } from "./wrong.js";
type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : false) : false;
type Sources = typeof http.HTTP_RESOURCES;
type Differences<Printed> = {
  [Name in keyof Sources | keyof Printed]: Name extends keyof Sources & keyof Printed
    ? Same<z.output<Sources[Name]>, Printed[Name]> extends true ? never : Name
    : Name;
}[keyof Sources | keyof Printed];
export const resources: Differences<Resources> extends never ? "same" : Differences<Resources> = "same";
export const codes: Same<ProblemCode, http.ProblemCode> = true;
export const documents: Same<ProblemDocument, http.ProblemDocument> = true;
// The comparison finds what is declared otherwise.
export const wrong: Differences<Wrong> = "StoredEvent";
`;

it("declares the resources and problems that the schemas of @synap/types describe, without these", async () => {
  const resources = printResources();
  const problems = printProblems();
  expect(resources + problems).not.toMatch(/from "(?!\.\/)/);
  const settings = { noEmit: true, composite: false, incremental: false, rootDir: "../../../.." };
  const files = {
    "contract.ts": 'export type * from "@synap/types";\n',
    "resources.ts": resources,
    "wrong.ts": resources.replace("streamVersion: number", "streamVersion: string"),
    "problems.ts": problems,
    "comparison.ts": COMPARISON,
    "tsconfig.json": JSON.stringify({
      extends: join(folder, "tsconfig.json"),
      compilerOptions: settings,
      include: ["*.ts"],
      exclude: [],
    }),
  };
  // In the package, so that its dependencies are found.
  const project = mkdtempSync(join(folder, "node_modules/printed-"));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
    const compiler = promisify(execFile)(join(folder, "../../node_modules/.bin/tsc"), ["-p", project]);
    const { stdout } = await compiler.catch((error: unknown) =>
      z.object({ stdout: z.string() }).parse(error),
    );
    expect(stdout).toBe("");
  } finally {
    rmSync(project, { recursive: true });
  }
}, 120_000);
