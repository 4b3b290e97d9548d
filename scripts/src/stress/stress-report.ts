import { count } from "@synap/types/internal";
import { countFaults, type StressResult } from "./stress-result.ts";

const STORE_LAWS = [
  ["acknowledgedAndLost", "acknowledged, but not stored"],
  ["undoneAndStored", "refused or undone, but stored"],
  ["storedTwice", "stored twice"],
  ["versionsTakenTwice", "versions of a stream taken twice"],
  ["brokenStreams", "streams with gaps in their versions"],
  ["positionsTakenTwice", "positions taken twice"],
  ["disorderedStreams", "streams out of the global order"],
  ["answeredDifferently", "sent again and answered differently"],
] as const;

/** Formats the result for people. */
export function reportAsText(result: StressResult): string {
  const { engine, writers, kills, readers, store, appended } = result;
  const faults = countFaults(result);
  const extra = appended - writers.acknowledged;
  const unanswered =
    extra > 0 ? ` (${count(extra)} stored for writers that were killed before they heard)` : "";
  return [
    `stress on the ${engine.engine} engine (PostgreSQL ${engine.postgresql}, TimescaleDB ${engine.timescaledb}, ` +
      `${engine.edition} edition): ${count(result.seconds)} s, ${writers.count} writers, ${readers.length} readers, seed ${result.seed}`,
    "",
    line("events appended", appended),
    line("acknowledged", writers.acknowledged, unanswered),
    line("expected versions refused", writers.refused),
    line("transactions rolled back", writers.rolledBack),
    line("savepoints rolled back", writers.savepointsUndone),
    line("deadlocks", writers.deadlocks),
    line("appends sent again", writers.sentAgain),
    line("attempts without a response", writers.unknown),
    line("kills (kill -9)", kills.writers + kills.readers + kills.everybody, whoWasKilled(kills)),
    "",
    `${"reader".padEnd(34)}${COLUMNS.map(({ title }) => title.padStart(WIDTH)).join("")}`,
    ...readers.map((reader) => {
      const cells = COLUMNS.map(({ key }) => count(reader[key]).padStart(WIDTH));
      return `${reader.name.padEnd(34)}${cells.join("")}`;
    }),
    "",
    "the store",
    ...STORE_LAWS.map(([key, name]) => line(`  ${name}`, store[key])),
    "",
    conclusion(faults, appended),
  ].join("\n");
}

/** Formats the result as JSON. */
export function reportAsJson(result: StressResult): object {
  return { ...result, faults: countFaults(result) };
}

const WIDTH = 13;
const COLUMNS = [
  { key: "read", title: "read" },
  { key: "restarts", title: "restarts" },
  { key: "lost", title: "lost" },
  { key: "repeated", title: "repeated" },
  { key: "outOfOrder", title: "out of order" },
  { key: "versionsOutOfOrder", title: "version gaps" },
  { key: "unknown", title: "not stored" },
] as const;

function line(name: string, value: number, more = ""): string {
  return `${name.padEnd(38)}${count(value).padStart(9)}${more}`;
}

function whoWasKilled({ writers, readers, everybody }: StressResult["kills"]): string {
  if (everybody > 0) return " (the one process that an embedded database has)";
  return writers + readers === 0 ? "" : ` (writers ${writers}, readers ${readers})`;
}

function conclusion(faults: number, appended: number): string {
  if (appended === 0) return "FAILED: nothing was appended, so nothing was proved.";
  if (faults > 0) return `FAILED: ${count(faults)} faults.`;
  return "Nothing lost, nothing repeated, nothing out of order.";
}
