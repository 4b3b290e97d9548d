/**
 * Makes the declarations in `dist` stand alone: the sources have their types from the schemas of `@synap/types`, and thereby
 * from Zod, which nobody who installs the client should need.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { printProblems, printResources } from "./print-types.ts";

const dist = join(import.meta.dirname, "dist");
const types = join(import.meta.dirname, "../types/dist");

/** The declarations of `@synap/types` that need nothing else. */
const CONTRACT = [
  "event/event",
  "event/stream-name",
  "event-types/event-reader",
  "event-types/typed-events",
  "json/json",
];

writeFileSync(join(dist, "resources.d.ts"), printResources());
writeFileSync(join(dist, "problems.d.ts"), printProblems());
for (const file of CONTRACT) {
  const copy = join(dist, `contract/${file}.d.ts`);
  mkdirSync(dirname(copy), { recursive: true });
  copyFileSync(join(types, `${file}.d.ts`), copy);
}
// Only the client itself uses the schemas of requests.
rmSync(join(dist, "requests.d.ts"));
const contract = join(dist, "contract.d.ts");
const names = /\{[^}]*\}/.exec(readFileSync(contract, "utf8"))?.[0] ?? "";
const sources = CONTRACT.map((file) => ({ file, text: readFileSync(join(types, `${file}.d.ts`), "utf8") }));
const lines = [...names.matchAll(/\w+/g)].map(([name]) => {
  const source = sources.find(({ text }) => new RegExp(`export (?:interface|type) ${name}\\b`).test(text));
  if (source === undefined)
    throw new Error(`contract.ts has ${name}, which is in none of ${CONTRACT.join(", ")}.`);
  return `export type { ${name} } from "./contract/${source.file}.js";\n`;
});
writeFileSync(contract, lines.join(""));
