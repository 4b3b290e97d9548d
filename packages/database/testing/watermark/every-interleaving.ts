import type { Transaction } from "../../src/index.ts";
import { append, type ReadingReport, type World } from "./scenarios.ts";

/** Steps of an append and of a reader that matter for the order, one statement each. */
type Step = "streams" | "low" | "lock" | "number" | "write" | "commit" | "high" | "held" | "read";

const APPENDER: readonly Step[] = ["streams", "low", "lock", "number", "write", "commit"];
const READER: readonly Step[] = ["high", "held", "read"];

/** Generates all 84 interleavings of the two. */
export function everyInterleaving(): Step[][] {
  return merge(APPENDER, READER);
}

function merge(one: readonly Step[], other: readonly Step[]): Step[][] {
  const [first, ...rest] = one;
  const [second, ...others] = other;
  if (first === undefined) return [[...other]];
  if (second === undefined) return [[...one]];
  return [
    ...merge(rest, other).map((steps) => [first, ...steps]),
    ...merge(one, others).map((steps) => [second, ...steps]),
  ];
}

const HELD = `
SELECT min(low) AS held
  FROM (
    SELECT min(((classid::bigint & 2047) << 32) | objid::bigint) FILTER (WHERE locktype = 'advisory') AS low
      FROM pg_locks
     WHERE database = synap.this_database()
       AND (locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 24 = 83
            OR locktype = 'relation' AND relation = 'synap.streams'::regclass AND mode = 'RowExclusiveLock')
     GROUP BY pid
    HAVING bool_or(locktype = 'relation')
  ) AS appender`;

const STREAMS = `
INSERT INTO synap.streams AS s (aggregate_type, aggregate_id, version, first_timestamp, last_timestamp)
VALUES ('note', 'slow', 1, now(), now())
ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE SET version = s.version + 1`;

const WRITE = `
INSERT INTO synap.appends (number, last_position, count, min_timestamp, max_timestamp, recorded_at)
VALUES ($1::bigint, $1::bigint * 1024, 1, now(), now(), now())`;

const READ = `SELECT number FROM synap.appends WHERE number > $1 AND number <= $2 ORDER BY number`;

/**
 * Runs one interleaving of a slow appender and a reader on two connections, with a third that appends and commits before
 * the step `other`. Afterwards the appender finishes and the reader reads to the end. Returns numbers, not positions.
 *
 * @param isGuarded true if the reader checks the locks, false if it relies on the sequence
 */
export async function playInterleaving(
  world: World,
  steps: readonly Step[],
  other: number,
  isGuarded: boolean,
): Promise<ReadingReport> {
  const { database, owner, store } = world;
  const committed: number[] = [];
  const read: number[] = [];
  let checkpoint = await highest(world);
  let [low, high, held, number] = [0, 0, 0, 0];

  const readerStep = async (step: Step): Promise<void> => {
    if (step === "high") high = await highest(world);
    if (step === "held") {
      const [row] = await database.query<{ held: number | null }>(HELD);
      held = isGuarded ? (row?.held ?? high) : high;
    }
    if (step === "read") {
      const safe = Math.min(high, held);
      const rows = await database.query<{ number: number }>(READ, [checkpoint, safe]);
      read.push(...rows.map((row) => row.number));
      checkpoint = Math.max(checkpoint, safe);
    }
  };
  const appenderStep = async (step: Step, transaction: Transaction): Promise<void> => {
    if (step === "streams") await transaction.query(STREAMS);
    if (step === "low") {
      const [row] = await transaction.query<{ low: number }>(
        "SELECT last_value AS low FROM synap.append_sequence",
      );
      low = row?.low ?? 0;
    }
    if (step === "lock") {
      await transaction.query("SELECT pg_advisory_xact_lock_shared((83::bigint << 56) | $1::bigint)", [low]);
    }
    if (step === "number") {
      const [row] = await transaction.query<{ number: number }>(
        "SELECT nextval('synap.append_sequence') AS number",
      );
      number = row?.number ?? 0;
    }
    if (step === "write") await transaction.query(WRITE, [number]);
  };
  const play = async (place: number, transaction: Transaction): Promise<void> => {
    if (place === other) committed.push((await append(store)) >> 10);
    const step = steps[place];
    if (step !== undefined && READER.includes(step)) await readerStep(step);
    else if (step !== undefined) await appenderStep(step, transaction);
  };

  const commit = steps.indexOf("commit");
  await owner.transaction(async (transaction) => {
    for (let place = 0; place <= commit; place += 1) await play(place, transaction);
  });
  committed.push(number);
  await database.transaction(async (unused) => {
    for (let place = commit + 1; place < steps.length; place += 1) await play(place, unused);
  });
  for (const step of READER) await readerStep(step);
  return { committed: committed.sort((one, two) => one - two), read };
}

async function highest({ database }: World): Promise<number> {
  const [row] = await database.query<{ high: number }>(
    "SELECT last_value AS high FROM synap.append_sequence",
  );
  return row?.high ?? 0;
}
