import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DEVELOPMENT_VARIABLES, SETTINGS } from "@synap/service/environment-names";
import { expect, it } from "vitest";
import { root } from "./processes/public-packages.ts";

/** The list itself, tests with names that are not in it, and history. */
const EXCEPT = [
  "packages/service/src/environment-names.ts",
  "packages/service/src/environment-names.test.ts",
  "scripts/test/entry-points.test.ts",
  "CHANGELOG.md",
];

it("every variable with the prefix SYNAP_ that a file of this repository names is known to every process, and no other", () => {
  const files = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" })
    .split("\0")
    .filter((file) => file !== "" && !EXCEPT.includes(file));
  const texts = files.map((file) => readFileSync(join(root, file), "utf8"));
  const namesIn = (pattern: RegExp) =>
    texts.flatMap((text) => [...text.matchAll(pattern)].map(([, name = ""]) => name));
  const constants = new Set(namesIn(/\bconst (SYNAP_\w+)/g));
  const variables = new Set(
    namesIn(/\b(SYNAP_[A-Z0-9_]*[A-Z0-9])\b/g).filter((name) => !constants.has(name)),
  );
  expect([...variables].sort()).toEqual([...SETTINGS, ...DEVELOPMENT_VARIABLES].sort());
});
