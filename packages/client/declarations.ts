/**
 * Makes the declarations in `dist` stand alone: the sources have their types from the schemas of `@synap/types`, and thereby
 * from Zod, which nobody who installs the client should need.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { printProblems, printResources } from "./print-types.ts";

const dist = join(import.meta.dirname, "dist");
const types = join(import.meta.dirname, "../types/dist");

/** The declarations of `@synap/types` that need nothing else. */
const CONTRACT = ["event", "event-reader", "json", "stream-name", "typed-events"];

writeFileSync(join(dist, "resources.d.ts"), printResources());
writeFileSync(join(dist, "problems.d.ts"), printProblems());
mkdirSync(join(dist, "contract"), { recursive: true });
for (const file of CONTRACT) copyFileSync(join(types, `${file}.d.ts`), join(dist, `contract/${file}.d.ts`));
// Only the client itself uses the schemas of requests.
rmSync(join(dist, "requests.d.ts"));
const contract = join(dist, "contract.d.ts");
const names = /\{[^}]*\}/.exec(readFileSync(contract, "utf8"))?.[0] ?? "";
const sources: Readonly<Record<string, string>> = {
  CallOptions: "event-reader",
  EventInput: "event",
  EventQuery: "event-reader",
  EventReader: "event-reader",
  JsonObject: "json",
  ExpectedVersion: "stream-name",
  StreamName: "stream-name",
  StreamRead: "event-reader",
  SubscriptionProgress: "event-reader",
  SubscriptionRequest: "event-reader",
};
const lines = [...names.matchAll(/\w+/g)].map(
  ([name]) => `export type { ${name} } from "./contract/${sources[name] ?? "typed-events"}.js";\n`,
);
writeFileSync(contract, lines.join(""));
