import type { Socket } from "node:net";
import {
  type SinkConnection,
  SinkEpochError,
  type SinkOutcome,
  SinkPositionError,
  type SinkRange,
  TransientHandlerError,
} from "@synap/handlers";
import { isTransientFailure } from "@synap/handlers/internal";
import type { StoredEvent } from "@synap/types";
import pg from "pg";

/** The writes of a sink in the transaction of a batch. */
export interface PostgresWrites {
  /** Runs a statement and returns its rows, with the values as `pg` reads them. Don't end the transaction. */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<Row[]>;
}

/** The parts of a connection. */
export interface PostgresParts {
  /** Not connected yet. */
  readonly client: pg.Client;
  /** The socket that it uses. */
  readonly socket: Socket;
  readonly signal: AbortSignal;
  readonly sink: string;
  readonly schema: string;
  readonly tables: string;
  /** Maximum duration of a call, in milliseconds. */
  readonly timeoutMs: number;
  apply(events: readonly StoredEvent[], writes: PostgresWrites): Promise<void>;
}

// The two tables are in the schema with the others: whoever drops or restores it gets a checkpoint that fits the rows.
const BOOKKEEPING = `
CREATE TABLE synap_checkpoint (
  sink       text        PRIMARY KEY,
  "position" bigint      NOT NULL,
  epoch      text        NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE synap_late_streams (
  aggregate_type text   NOT NULL,
  aggregate_id   text   NOT NULL,
  "position"     bigint NOT NULL,
  PRIMARY KEY (aggregate_type, aggregate_id)
);`;

const CHECKPOINT = `SELECT sink, "position", epoch FROM synap_checkpoint`;

/**
 * Connects, and creates the schema and its tables if they are not there.
 *
 * @throws when the server can't be reached or the tables can't be created
 */
export async function openPostgres(parts: PostgresParts): Promise<SinkConnection> {
  const { client, signal } = parts;
  let isLost = false;
  // Waiting calls are rejected; without a listener the event itself would end the process.
  client.on("error", () => {
    isLost = true;
  });
  client.on("end", () => {
    isLost = true;
  });
  const close = async () => {
    await client.end().catch(() => {});
  };
  // To end it would wait for the statement under way.
  signal.addEventListener("abort", () => parts.socket.destroy(), { once: true });
  try {
    await client.connect();
    await createTables(parts);
  } catch (error) {
    await close();
    throw error;
  }
  const connected = async <Result>(work: Promise<Result>): Promise<Result> => {
    try {
      return await work;
    } catch (error) {
      // Not every error of pg says so.
      if (isLost && !isTransientFailure(error))
        throw new TransientHandlerError("The connection to the destination was lost.", { cause: error });
      throw error;
    }
  };
  return {
    checkpoint: () => connected(inTransaction(parts, () => readCheckpoint(parts))),
    apply: (events, range) => connected(applyBatch(parts, events, range)),
    close,
  };
}

async function createTables(parts: PostgresParts): Promise<void> {
  const { client, schema, tables } = parts;
  await client.query("BEGIN");
  const { rows } = await client.query<{ found: boolean }>("SELECT to_regclass($1) IS NOT NULL AS found", [
    `${pg.escapeIdentifier(schema)}.synap_checkpoint`,
  ]);
  if (rows[0]?.found !== true) {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${pg.escapeIdentifier(schema)}`);
    await client.query(settings(parts));
    await client.query(BOOKKEEPING);
    await client.query(tables);
  }
  await client.query("COMMIT");
}

/**
 * The settings of a transaction. A statement ends shortly after the call that it belongs to was given up: the server may notice only then
 * that nobody waits for it, and it would keep the checkpoint locked.
 */
function settings({ schema, timeoutMs }: PostgresParts): string {
  return `SET LOCAL search_path TO ${pg.escapeIdentifier(schema)}; SET LOCAL statement_timeout TO ${timeoutMs + 1_000}`;
}

/** Runs work in a transaction, which is undone if the work throws or is not to be kept. */
async function inTransaction<Result>(
  parts: PostgresParts,
  work: () => Promise<Result>,
  isKept: () => boolean = () => true,
): Promise<Result> {
  const { client } = parts;
  await client.query("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
  try {
    await client.query(settings(parts));
    const result = await work();
    await client.query(isKept() ? "COMMIT" : "ROLLBACK");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  }
}

/** Reads the checkpoint, and locks it until the transaction ends. */
async function readCheckpoint({
  client,
  sink,
}: PostgresParts): Promise<{ readonly position: number; readonly epoch: string } | undefined> {
  const { rows } = await client.query<{ sink: string; position: string; epoch: string }>(
    `${CHECKPOINT} FOR UPDATE`,
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const position = Number(row.position);
  if (row.sink !== sink || rows.length > 1)
    throw new SinkPositionError(sink, position, `but its schema belongs to the sink "${row.sink}"`);
  return { position, epoch: row.epoch };
}

async function applyBatch(
  parts: PostgresParts,
  events: readonly StoredEvent[],
  range: SinkRange,
): Promise<readonly SinkOutcome[]> {
  const failed = new Map<StoredEvent, unknown>();
  const apply = async () => {
    await claimCheckpoint(parts, range);
    const fresh = range.late === undefined ? events : await notYetApplied(parts, events, range.late);
    await applyIsolated(parts, fresh, failed);
    if (failed.size === 0) await saveProgress(parts, events, range);
  };
  await inTransaction(parts, apply, () => failed.size === 0);
  return events.map((event): SinkOutcome => {
    if (failed.size === 0) return { status: "applied" };
    return failed.has(event) ? { status: "failed", error: failed.get(event) } : { status: "waiting" };
  });
}

/** Locks the checkpoint, and refuses a batch that does not follow it. */
async function claimCheckpoint(parts: PostgresParts, { from, fromEpoch }: SinkRange): Promise<void> {
  const { client, sink } = parts;
  if (from === 0) {
    await client.query(
      `INSERT INTO synap_checkpoint (sink, "position", epoch)
       SELECT $1, 0, $2 WHERE NOT EXISTS (SELECT FROM synap_checkpoint) ON CONFLICT DO NOTHING`,
      [sink, fromEpoch],
    );
  }
  const kept = await readCheckpoint(parts);
  const position = kept?.position ?? 0;
  if (position !== from) throw new SinkPositionError(sink, position, `but the batch begins after ${from}`);
  if (kept !== undefined && kept.epoch !== fromEpoch)
    throw new SinkEpochError(sink, kept.epoch, `and the batch follows epoch ${fromEpoch}`);
}

/** The late events of a stream without those that were applied when the process died before it noted that. */
async function notYetApplied(
  { client }: PostgresParts,
  events: readonly StoredEvent[],
  { aggregateType, aggregateId }: NonNullable<SinkRange["late"]>,
): Promise<readonly StoredEvent[]> {
  const { rows } = await client.query<{ position: string }>(
    `SELECT "position" FROM synap_late_streams WHERE aggregate_type = $1 AND aggregate_id = $2`,
    [aggregateType, aggregateId],
  );
  const upTo = Number(rows[0]?.position ?? 0);
  return events.filter(({ position }) => position > upTo);
}

async function saveProgress(
  { client }: PostgresParts,
  events: readonly StoredEvent[],
  { to, epoch, late }: SinkRange,
): Promise<void> {
  const last = events.at(-1);
  if (late === undefined) {
    await client.query(`UPDATE synap_checkpoint SET "position" = $1, epoch = $2, updated_at = now()`, [
      to,
      epoch,
    ]);
  } else if (last !== undefined) {
    await client.query(
      `INSERT INTO synap_late_streams AS late (aggregate_type, aggregate_id, "position") VALUES ($1, $2, $3)
       ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE SET "position" = greatest(late."position", EXCLUDED."position")`,
      [late.aggregateType, late.aggregateId, last.position],
    );
  }
}

/**
 * Applies events, each part in a savepoint. A part that fails is bisected down to the failing events.
 *
 * @param failed receives the failed events, at most one of each stream
 * @throws when the server is unavailable or busy, or the transaction was ended
 */
async function applyIsolated(
  parts: PostgresParts,
  events: readonly StoredEvent[],
  failed: Map<StoredEvent, unknown>,
): Promise<void> {
  const waiting = new Set([...failed.keys()].map(streamOf));
  const own = events.filter((event) => !waiting.has(streamOf(event)));
  const [first] = own;
  if (first === undefined) return;
  const failure = await attempt(parts, own);
  if (failure === undefined) return;
  if (own.length === 1) {
    failed.set(first, failure.error);
    return;
  }
  const middle = Math.ceil(own.length / 2);
  await applyIsolated(parts, own.slice(0, middle), failed);
  await applyIsolated(parts, own.slice(middle), failed);
}

function streamOf({ aggregateType, aggregateId }: StoredEvent): string {
  return JSON.stringify([aggregateType, aggregateId]);
}

async function attempt(
  parts: PostgresParts,
  events: readonly StoredEvent[],
): Promise<{ readonly error: unknown } | undefined> {
  const { client } = parts;
  await client.query("SAVEPOINT synap_batch");
  try {
    await parts.apply(events, {
      query: async (text, values) => (await client.query(text, values === undefined ? [] : [...values])).rows,
    });
    // A violated constraint that is checked at commit would fail the batch without naming an event.
    await client.query("SET CONSTRAINTS ALL IMMEDIATE");
    await client.query("SET CONSTRAINTS ALL DEFERRED");
  } catch (error) {
    // The events are not the cause.
    if (isTransientFailure(error)) throw error;
    await client.query("ROLLBACK TO SAVEPOINT synap_batch");
    await client.query("RELEASE SAVEPOINT synap_batch");
    return { error };
  }
  await client.query("RELEASE SAVEPOINT synap_batch");
  return undefined;
}
