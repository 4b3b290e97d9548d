// One process of a stress run: it opens the database, runs the roles of its plan (the first argument, JSON), and may
// be killed at any moment. The parent sends the end of the writing; without a parent the process ends.
import { join } from "node:path";
import { openDatabase } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { appendEndMarker } from "./end-marker.ts";
import { createRandom } from "./random.ts";
import { runReader } from "./reader.ts";
import { ReaderJournal } from "./reader-journal.ts";
import { runWriter } from "./run-writer.ts";
import { stressCatalogue } from "./stress-events.ts";
import { type Progress, processPlanSchema } from "./stress-plan.ts";
import { WriterJournal } from "./writer-journal.ts";

const plan = processPlanSchema.parse(JSON.parse(process.argv[2] ?? ""));
const stop = new AbortController();
process.on("message", () => stop.abort());
const abandoned = () => process.exit(1);
process.on("disconnect", abandoned);
// Ctrl-C meets every process of the terminal; the parent decides.
process.on("SIGINT", () => undefined);

let progress: Progress = { acknowledged: 0, read: 0, refused: 0 };
function report(): void {
  process.send?.(progress);
  progress = { acknowledged: 0, read: 0, refused: 0 };
}
const database = await openDatabase(
  "url" in plan.database
    ? { url: plan.database.url, maxConnections: 3, applicationName: `synap stress ${plan.name}` }
    : plan.database,
);
report();
const reporting = setInterval(report, 250);
const store = createEventStore({ database, catalogue: stressCatalogue });
const randomOf = (name: string) => createRandom(plan.seed, `${name} ${plan.restarts}`);

const writers = plan.roles.flatMap((role) => {
  if (role.kind !== "writer") return [];
  const name = `writer-${role.number}`;
  return runWriter({
    number: role.number,
    database,
    store,
    journal: new WriterJournal(join(plan.directory, `${name}.ndjson`)),
    random: randomOf(name),
    longPauseMs: plan.longPauseMs,
    stop: stop.signal,
    onAppended: (events) => {
      progress.acknowledged += events;
    },
    onRefused: () => {
      progress.refused += 1;
    },
  });
});
const readers = plan.roles.flatMap((role) => {
  if (role.kind !== "reader") return [];
  const name = `reader-${role.number}`;
  return runReader({
    role,
    store,
    journal: new ReaderJournal(join(plan.directory, `${name}.ndjson`)),
    random: randomOf(name),
    hurry: stop.signal,
    onRead: (events) => {
      progress.read += events;
    },
  });
});

async function writeToTheEnd(): Promise<void> {
  await Promise.all(writers);
  if (plan.appendsEndMarker) await appendEndMarker(database);
}

await Promise.all([writeToTheEnd(), ...readers]);
clearInterval(reporting);
report();
await database.close();
process.off("disconnect", abandoned);
process.disconnect();
