import {
  ARCHIVE_FORMATS,
  type ArchiveColumn,
  type ArchiveFormat,
  type ArchiveRow,
  archiveFormat,
} from "@synap/archive";
import { median } from "@synap/cli/terminal/numbers.ts";
import type { Database } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import { seedCatalogue } from "@synap/types";
import type { Benchmark, BenchmarkResult, Figure } from "../benchmark.ts";
import { makeEvents } from "../events/make-events.ts";

const EVENTS = { full: 100_000, quick: 20_000 };
const ROUNDS = { full: 5, quick: 2 };
const BATCH = 1_000;

/** Speed and size of the files of an archive, by format. In memory: neither a disk nor a network takes part. */
export const archiveFormats: Benchmark = {
  name: "archive-formats",
  title: "The formats of an archive",
  async run({ mode, onProgress, signal }): Promise<BenchmarkResult> {
    const { database, remove } = await createTemporaryDatabase(undefined, "archive_formats");
    let columns: readonly ArchiveColumn[];
    let rows: readonly ArchiveRow[];
    try {
      onProgress("making events", 0);
      const store = createEventStore({ database, catalogue: seedCatalogue });
      for (let first = 0; first < EVENTS[mode]; first += BATCH) {
        signal.throwIfAborted();
        await store.appendBatch(makeEvents({ count: BATCH, streams: 2_000, first }));
      }
      ({ columns, rows } = await readText(database));
    } finally {
      await remove();
    }
    const figures: Figure[] = [];
    for (const [index, name] of ARCHIVE_FORMATS.entries()) {
      onProgress(name, (index + 1) / (ARCHIVE_FORMATS.length + 1));
      figures.push(...(await measure(archiveFormat(name), columns, rows, ROUNDS[mode], signal)));
    }
    return { figures };
  },
};

/** The stored events as PostgreSQL's text. */
async function readText(database: Database) {
  const columns = await database.query<{ name: string; type: string }>(
    `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
      WHERE attrelid = 'synap.events'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
  );
  const list = columns.map(({ name, type }) =>
    type.startsWith("timestamp")
      ? `rtrim(rtrim(to_char("${name}" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), '0'), '.') || '+00' AS "${name}"`
      : `"${name}"::text`,
  );
  const rows = await database.query<ArchiveRow>(
    `SELECT ${list.join(", ")} FROM synap.events ORDER BY synap.events."position"`,
  );
  return { columns, rows };
}

async function measure(
  format: ArchiveFormat,
  columns: readonly ArchiveColumn[],
  rows: readonly ArchiveRow[],
  rounds: number,
  signal: AbortSignal,
): Promise<Figure[]> {
  const megabytes = rows.reduce((sum, row) => sum + lengthOf(row), 0) / 1e6;
  const [writing, reading]: [number[], number[]] = [[], []];
  let file: Buffer = Buffer.alloc(0);
  // The first round warms up.
  for (let round = 0; round <= rounds; round += 1) {
    signal.throwIfAborted();
    const started = performance.now();
    const parts: Uint8Array[] = [];
    for await (const bytes of format.encode(columns, inBatches(rows))) parts.push(bytes);
    file = Buffer.concat(parts);
    const written = performance.now();
    let count = 0;
    for await (const batch of format.decode(columns, once(file))) count += batch.length;
    if (count !== rows.length) throw new Error(`${count} rows were read of ${rows.length}.`);
    if (round === 0) continue;
    writing.push((megabytes / (written - started)) * 1_000);
    reading.push((megabytes / (performance.now() - written)) * 1_000);
  }
  const id = format.name === "parquet" ? "parquet" : "ndjson";
  const note = `of ${rows.length} events with ${((megabytes * 1e6) / rows.length).toFixed(0)} bytes of text each`;
  return [
    {
      id: `archive.${id}.write`,
      name: `${format.name}, written`,
      value: median(writing),
      unit: "MB/s",
      better: "higher",
      samples: writing,
      note,
    },
    {
      id: `archive.${id}.read`,
      name: `${format.name}, read`,
      value: median(reading),
      unit: "MB/s",
      better: "higher",
      samples: reading,
      note,
    },
    {
      id: `archive.${id}.bytes`,
      name: `${format.name}, size`,
      value: file.length / rows.length,
      unit: "bytes/event",
      better: "lower",
      note,
    },
  ];
}

function lengthOf(row: ArchiveRow): number {
  return Object.values(row).reduce((sum, value) => sum + Buffer.byteLength(value ?? ""), 0);
}

async function* inBatches(rows: readonly ArchiveRow[]): AsyncIterable<readonly ArchiveRow[]> {
  for (let from = 0; from < rows.length; from += BATCH) yield rows.slice(from, from + BATCH);
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let from = 0; from < bytes.length; from += 65_536) yield bytes.subarray(from, from + 65_536);
}
