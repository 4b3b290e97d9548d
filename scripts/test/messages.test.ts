import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createProgram } from "@synap/cli/operating/run-cli.ts";
import { PROGRAMS } from "@synap/cli/programs.ts";
import { describe, expect, it } from "vitest";
import { files, root } from "./docs/documentation.ts";

const sources = files.filter(
  (file) =>
    file !== "packages/service/src/called-as.ts" &&
    /^(apps|packages)\/[^/]+\/src\/.*\.ts$/.test(file) &&
    !/\.(test|type-test)\.ts$/.test(file),
);

/** The lines of the sources that are no comment. */
const lines = sources.flatMap((file) =>
  readFileSync(join(root, file), "utf8")
    .split("\n")
    .map((text, index) => ({ where: `${file}:${index + 1}`, text }))
    .filter(({ text }) => !/^\s*(\/?\*|\/\/)/.test(text)),
);

const linesThat = (pattern: RegExp) =>
  lines.filter(({ text }) => pattern.test(text)).map(({ where, text }) => `${where}: ${text.trim()}`);

describe("the messages of the product", () => {
  it("write a number with its noun by `counted`, so that one of them is no plural", () => {
    const things =
      "attempts|builds|connections|events|handlers|letters|lines|locks|migrations|rows|segments|sessions|streams|tails|types";
    // Constants are limits above one; what follows "of" is a whole.
    const plural = new RegExp(
      `(?<!of )\\$\\{(?!counted\\(|[A-Z_]+\\})[^{}]*\\} (?:[a-z]+ )?(?:${things})\\b`,
    );
    expect(linesThat(plural)).toEqual([]);
  });

  it("name a command as it is called here, by SYNAP_COMMAND", () => {
    const names = [
      ...PROGRAMS.map(({ name }) => name),
      ...createProgram().commands.map((each) => each.name()),
    ];
    // Backticks in a description name the command itself, not how to call it.
    expect(linesThat(new RegExp(`(?<![\\w@/\`.-])synap (?:${names.join("|")})\\b`))).toEqual([]);
  });
});
