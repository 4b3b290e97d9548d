import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Words of translated prose and of metaphors, each with the word to use instead. None occurs in ordinary code. */
const TRANSLATED: ReadonlyMap<RegExp, string> = new Map([
  [/\bfor ever\b/i, "always, without limit, permanently"],
  [/\btold\b/i, "reported, received, distinguished"],
  [/\btells\b/i, "reports, returns, distinguishes"],
  [/\bwhom\b/i, "the user, the recipient"],
  [/\bunborn\b/i, "initial"],
  [/\bby chance\b/i, "random, with jitter"],
  [/\b(?:as it|what) stands\b/i, "current"],
  [/\bdoors?\b/i, "API, endpoint, method"],
  [/\boffices?\b/i, "the name of the component"],
  [/\bcrews?\b/i, "workers"],
  [/\b(?:stand-ins?|stands in)\b/i, "the local broker"],
  [/\bmend(?:s|ed|ing)?\b/i, "repair, correct"],
  [/\blearns? of\b/i, "receives, sees"],
  [/\bnever rests?\b/i, "runs without a pause"],
  [/\b(?:event|built-in) brokers?\b/i, "the broker; Synap's own is the local broker"],
  [/\b(?:HTTP|API's|app's) answer\b/, "response"],
  [/(?:[Jj]son|[Hh]ttp|[Rr]aw|[Bb]atch|[Pp]roblem|[Rr]eadiness|Synap)Answer/, "a name with response"],
]);

/** First words of a docstring that asks a question in place of naming the thing: `/** Whether it is open` for "True if it is open". */
const QUESTION = /\/\*\*\s+(?:\* )?(?:What|Whether|How|That|Who|Whose|Where|Which|Says|Tells)\b/g;

const tracked = execFileSync("git", ["ls-files"], { cwd: ROOT, encoding: "utf8" }).split("\n");
const code = tracked.filter(
  (file) =>
    /^(?:packages|apps|scripts|bench|examples)\/.*\.(?:ts|mjs|sql)$/.test(file) &&
    !file.endsWith("plain-words.test.ts"),
);
/** All but the changelog, which quotes what has changed. */
const pages = tracked.filter((file) => file.endsWith(".md") && file !== "CHANGELOG.md");

it.each([
  ["code", code, 300],
  ["pages", pages, 50],
])("%s use the field's own words", (_, files, atLeast) => {
  const found = files.flatMap((file) =>
    [file, ...readFileSync(`${ROOT}/${file}`, "utf8").split("\n")].flatMap((line, number) =>
      [...TRANSLATED]
        .filter(([word]) => word.test(line))
        .map(([word, instead]) => `${file}:${number}: ${word.source}; say: ${instead}`),
    ),
  );
  expect(files.length).toBeGreaterThan(atLeast);
  expect(found).toEqual([]);
});

it("docstrings open with what the thing is or does", () => {
  const found = code.flatMap((file) => {
    const text = readFileSync(`${ROOT}/${file}`, "utf8");
    return [...text.matchAll(QUESTION)].map(
      ({ index, 0: opening }) =>
        `${file}:${text.slice(0, index).split("\n").length}: ${opening.replaceAll(/\s+/g, " ")} ...; open with a noun phrase, an imperative or "True if"`,
    );
  });

  expect(found).toEqual([]);
});
