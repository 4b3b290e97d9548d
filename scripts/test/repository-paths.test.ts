import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { files, root } from "./docs/documentation.ts";

/** A path in this repository, which an installed application doesn't have. Words such as "apps/day" are none. */
const PATH =
  /(?<![\w@./-])(?:docs|apps|packages|scripts|examples|bench)\/[\w.-]*[\w](?:\/|\.[a-z])|\bdocs\/decisions\/|\b(?:CONTRIBUTING|CHANGELOG)\.md\b/;

const SOURCE = "src/(?!.*\\.(?:test|type-test)\\.ts$).*\\.ts$";

/** Files with texts that are shown, lines of them that are not, and the number of files at least. */
const shown: readonly (readonly [string, RegExp, RegExp, number])[] = [
  [
    "messages and help of the program, into which these are bundled",
    new RegExp(`^(?:apps/(?:api|cli|worker)|packages/(?:archive|http|inngest-local|service))/${SOURCE}`),
    /^\s*(?:\/\/|\/?\*)|^(?:import|export) .* from "/,
    100,
  ],
  [
    "messages and docstrings of the packages that applications install",
    new RegExp(`^packages/(?:client|database|domain|handlers|synap|types)/${SOURCE}`),
    /^\s*\/\/|^(?:import|export) .* from "/,
    150,
  ],
  ["notices and comments of the database's SQL", /^packages\/database\/sql\/.*\.sql$/, /^\s*--/, 40],
];

it.each(shown)("%s name no file that only the repository has", (_which, sources, hidden, atLeast) => {
  const chosen = files.filter((file) => sources.test(file));
  expect(chosen.length).toBeGreaterThan(atLeast);
  const found = chosen.flatMap((file) =>
    readFileSync(join(root, file), "utf8")
      .split("\n")
      .flatMap((line, index) =>
        hidden.test(line) || !PATH.test(line) ? [] : [`${file}:${index + 1}: ${line.trim()}`],
      ),
  );
  expect(found).toEqual([]);
});
