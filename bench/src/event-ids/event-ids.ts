import { median, percentile } from "@synap/cli/terminal/numbers.ts";
import type { Database, Engine } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import {
  allowBareInserts,
  type BareRow,
  insertBare,
  insertBareWithIds,
  makeRows,
} from "@synap/scripts/performance/bare-insert.ts";
import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import { seedCatalogue } from "@synap/types";
import { appendAll } from "../append/append-all.ts";
import { BATCH_SIZE } from "../append/measure-append.ts";
import type { BenchContext, Benchmark, BenchmarkResult, Figure } from "../benchmark.ts";
import { makeEvents } from "../events/make-events.ts";

const ROUNDS = { full: 25, quick: 10 };
/** Each time is one that a tenth of the rounds stay below: what else runs on the machine only adds to it. */
const LOW = 0.1;
/** Rounds that don't count. */
const WARM_UP = 3;
const STREAMS = 100;

const WAL = `
EXPLAIN (ANALYZE, WAL, FORMAT JSON)
INSERT INTO synap.event_ids (id, "timestamp", "position", stream_version)
SELECT e.id, e."timestamp", e."position", e."streamVersion"
  FROM json_to_recordset($1::text::json)
       AS e (id uuid, "timestamp" timestamptz(3), "position" bigint, "streamVersion" bigint)`;

/** Milliseconds of one round, and bytes of the write-ahead log for an event. */
interface Round {
  readonly append: number;
  readonly bare: number;
  readonly withIds: number;
  readonly wal: number;
}

/** Cost of the table of ids, which keeps an event from being stored twice in different chunks. */
export const eventIds: Benchmark = {
  name: "event-ids",
  title: "The table of ids, in an append",
  async run(context): Promise<BenchmarkResult> {
    const { serverUrl } = context;
    const engines: Engine[] = serverUrl === undefined ? ["embedded"] : ["embedded", "server"];
    const figures: Figure[] = [];
    for (const [index, engine] of engines.entries()) {
      const onRound = (share: number) => context.onProgress(engine, (index + share) / engines.length);
      figures.push(...figuresOf(engine, await measure(engine, context, onRound)));
    }
    return { figures, skipped: serverUrl === undefined ? ["On a server: there is none."] : [] };
  },
};

async function measure(
  engine: Engine,
  { mode, serverUrl, signal }: BenchContext,
  onRound: (share: number) => void,
): Promise<Round[]> {
  const url = engine === "server" ? serverUrl : undefined;
  const { database, remove } = await createTemporaryDatabase(url, "event_ids");
  try {
    await allowBareInserts(database);
    const store = createEventStore({ database, catalogue: seedCatalogue });
    const rounds: Round[] = [];
    let made = 0;
    const next = () => {
      const events = makeEvents({ count: BATCH_SIZE, streams: STREAMS, first: made, lane: "ids" });
      made += BATCH_SIZE;
      return events;
    };
    for (let round = -WARM_UP; round < ROUNDS[mode]; round += 1) {
      signal.throwIfAborted();
      const rows = [await makeRows(database, next()), await makeRows(database, next())] as const;
      const events = next();
      const bare = () => timed(() => insertBare(database, rows[0]));
      const withIds = () => timed(() => insertBareWithIds(database, rows[1]));
      // Whoever goes first meets another state of caches, so they take turns in that as well.
      const inTurn = round % 2 === 0;
      const early = await (inTurn ? bare() : withIds());
      const append = await timed(() => appendAll(store, events));
      const late = await (inTurn ? withIds() : bare());
      const wal = await walOf(database, await makeRows(database, next()));
      if (round >= 0)
        rounds.push({ append, bare: inTurn ? early : late, withIds: inTurn ? late : early, wal });
      onRound((round + WARM_UP + 1) / (ROUNDS[mode] + WARM_UP));
    }
    return rounds;
  } finally {
    await remove();
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Bytes of the write-ahead log that the ids of one event take. */
async function walOf(database: Database, rows: readonly BareRow[]): Promise<number> {
  const [explained] = await database.asOwner((owner) =>
    owner.query<{ "QUERY PLAN": readonly { readonly Plan: Readonly<Record<string, unknown>> }[] }>(WAL, [
      JSON.stringify(rows),
    ]),
  );
  return Number(explained?.["QUERY PLAN"][0]?.Plan["WAL Bytes"]) / rows.length;
}

function figuresOf(engine: Engine, rounds: readonly Round[]): Figure[] {
  const low = (what: "append" | "bare" | "withIds") =>
    percentile(
      rounds.map((round) => round[what]),
      LOW,
    );
  return [
    {
      id: `event-ids.${engine}.share`,
      name: `share of the ids in an appendBatch of ${BATCH_SIZE.toLocaleString("en")}, ${STREAMS} streams`,
      engine,
      value: (100 * (low("withIds") - low("bare"))) / low("append"),
      unit: "%",
      better: "lower",
      note:
        `A bare insert of the rows with their ids (${low("withIds").toFixed(1)} ms), less one without (${low("bare").toFixed(1)} ms), against ` +
        `the append (${low("append").toFixed(1)} ms): the fastest tenth of ${rounds.length} rounds, in turns.`,
    },
    {
      id: `event-ids.${engine}.wal`,
      name: "write-ahead log of an id",
      engine,
      value: median(rounds.map(({ wal }) => wal)),
      unit: "bytes/event",
      better: "lower",
      samples: rounds.map(({ wal }) => wal),
    },
  ];
}
