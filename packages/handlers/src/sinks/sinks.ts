import type { Database, SqlSession } from "@synap/database";
import { didYouMean } from "@synap/types/internal";
import type { ActorOptions } from "../projection-builds/projections.ts";
import type { Sink, SinkDescription } from "./sink.ts";
import { SinkNotFoundError } from "./sink-errors.ts";

/**
 * The state of a sink.
 *
 * - `running`: a process runs it.
 * - `waiting`: its last pass failed, and is tried again.
 * - `paused`: an operator has paused it.
 * - `stopped`: no process runs it.
 */
export type SinkState = "running" | "waiting" | "paused" | "stopped";

/** The state and the progress of a sink. */
export interface SinkStatus extends Omit<SinkDescription, "keepsCheckpoint"> {
  readonly name: string;
  readonly description: string;
  readonly state: SinkState;
  /** Position up to which the destination has confirmed the events. */
  readonly checkpoint: number;
  /** Number of stored events after the checkpoint, of any type. */
  readonly lagEvents: number;
  /** Age of the first of them. */
  readonly lagSeconds: number;
  readonly openDeadLetters: number;
  /** Number of events that wait behind failed ones. */
  readonly parkedEvents: number;
  /** The error of the last pass. */
  readonly failure?: string;
  /** The actor who has paused or resumed it last. */
  readonly changedBy?: string;
}

// A checkpoint may be in the middle of an append, whose earlier events don't count.
const STATUS = `
WITH sink AS (
  SELECT coalesce((SELECT "position" FROM synap.checkpoints WHERE handler = $1), 0) AS checkpoint
), behind AS (
  SELECT a.recorded_at, CASE WHEN a.number = s.checkpoint >> 10 THEN a.last_position - s.checkpoint ELSE a.count END AS events
    FROM sink AS s, synap.appends AS a
   WHERE a.number >= s.checkpoint >> 10 AND a.last_position > s.checkpoint
   ORDER BY a.number LIMIT 100000
)
SELECT s.checkpoint,
       (SELECT coalesce(sum(events), 0)::bigint FROM behind) AS lag,
       (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(recorded_at)), 0)::float8 FROM behind) AS seconds,
       (SELECT count(*) FROM synap.dead_letters WHERE handler = $1 AND status = 'open') AS "deadLetters",
       (SELECT count(*) FROM synap.parked_events WHERE handler = $1) AS parked,
       (SELECT reason FROM synap.handler_failures WHERE handler = $1) AS failure,
       EXISTS (SELECT FROM synap.sinks WHERE name = $1 AND paused_at IS NOT NULL) AS paused,
       EXISTS (SELECT FROM synap.sinks WHERE name = $1 AND runner IS NOT NULL AND leased_until > clock_timestamp()) AS run,
       (SELECT changed_by FROM synap.sinks WHERE name = $1) AS "changedBy"
  FROM sink AS s`;

interface StatusRow {
  readonly checkpoint: number;
  readonly lag: number;
  readonly seconds: number;
  readonly deadLetters: number;
  readonly parked: number;
  readonly failure: string | null;
  readonly paused: boolean;
  readonly run: boolean;
  readonly changedBy: string | null;
}

const CHANGE = `
INSERT INTO synap.sinks AS s (name, leased_until, paused_at, changed_by)
VALUES ($1, '-infinity', CASE WHEN $2 THEN clock_timestamp() END, $3)
ON CONFLICT (name) DO UPDATE SET paused_at = EXCLUDED.paused_at, changed_by = EXCLUDED.changed_by
 WHERE (s.paused_at IS NULL) <> (EXCLUDED.paused_at IS NULL)`;

/** Operates the sinks of an application: status, pause and resume. */
export class Sinks {
  readonly #database: Database;
  readonly #sinks: readonly Sink[];

  constructor(database: Database, sinks: readonly Sink[]) {
    this.#database = database;
    this.#sinks = sinks;
  }

  /** Reads the state and the progress of every sink. */
  async status(): Promise<SinkStatus[]> {
    const statuses: SinkStatus[] = [];
    for (const sink of this.#sinks) statuses.push(await readStatus(this.#database, sink));
    return statuses;
  }

  /** Reads the state and the progress of one sink. @throws SinkNotFoundError */
  async get(name: string): Promise<SinkStatus> {
    return readStatus(this.#database, this.#find(name));
  }

  /**
   * Pauses a sink. The process that runs it ends the call under way, makes no other one and closes the destination. Appends and handlers go
   * on. Idempotent.
   * @throws SinkNotFoundError
   */
  async pause(name: string, { by }: ActorOptions): Promise<SinkStatus> {
    return this.#change(name, true, by);
  }

  /** Lets a sink go on from its checkpoint. Idempotent. @throws SinkNotFoundError */
  async resume(name: string, { by }: ActorOptions): Promise<SinkStatus> {
    return this.#change(name, false, by);
  }

  async #change(name: string, paused: boolean, by: string): Promise<SinkStatus> {
    const sink = this.#find(name);
    return this.#database.transaction(async (transaction) => {
      await transaction.query(CHANGE, [name, paused, by]);
      return readStatus(transaction, sink);
    });
  }

  #find(name: string): Sink {
    const found = this.#sinks.find((sink) => sink.name === name);
    if (found !== undefined) return found;
    const names = this.#sinks.map((sink) => sink.name);
    throw new SinkNotFoundError(name, didYouMean(name, names));
  }
}

async function readStatus(session: SqlSession, { name, description, promise }: Sink): Promise<SinkStatus> {
  const [row] = await session.query<StatusRow>(STATUS, [name]);
  if (row === undefined) throw new Error("The status of a sink returned no row.");
  const { keepsCheckpoint: _, ...described } = promise;
  return {
    name,
    description,
    ...described,
    state: stateOf(row),
    checkpoint: row.checkpoint,
    lagEvents: row.lag,
    lagSeconds: Math.max(0, row.seconds),
    openDeadLetters: row.deadLetters,
    parkedEvents: row.parked,
    ...(row.failure !== null && { failure: row.failure }),
    ...(row.changedBy !== null && { changedBy: row.changedBy }),
  };
}

function stateOf({ paused, failure, run }: StatusRow): SinkState {
  if (paused) return "paused";
  // A pause after a failure is shorter than a lease.
  if (!run) return "stopped";
  return failure === null ? "running" : "waiting";
}
