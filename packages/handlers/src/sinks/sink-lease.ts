import type { SqlSession, Transaction } from "@synap/database";

/** Duration of a lease, in milliseconds: longer than a call of a destination may take. */
const LEASE_MS = 60_000;

/** The facts of a sink that a pass depends on, read with its lease. */
export interface LeasedSink {
  /** The position in `synap.checkpoints`. */
  readonly position: number;
  /** True if a stream is held for it. */
  readonly held: boolean;
  /** True if the last pass failed. */
  readonly failing: boolean;
  /** Time until the next retry of an event of a held stream, in milliseconds. */
  readonly retryInMs: number | null;
  /** The number of the current epoch. */
  readonly epoch: number;
}

// An end of more than a minute beyond the usual one means that the clock was set back.
const TAKE = `
INSERT INTO synap.sinks AS s (name, runner, leased_until)
VALUES ($1, $2, clock_timestamp() + $3::float8 * interval '1 millisecond')
ON CONFLICT (name) DO UPDATE SET runner = EXCLUDED.runner, leased_until = EXCLUDED.leased_until
 WHERE s.paused_at IS NULL
   AND (s.runner = EXCLUDED.runner OR s.runner IS NULL OR s.leased_until <= clock_timestamp()
        OR s.leased_until > EXCLUDED.leased_until + interval '1 minute')
RETURNING coalesce((SELECT "position" FROM synap.checkpoints WHERE handler = $1), 0) AS "position",
          EXISTS (SELECT FROM synap.held_streams WHERE handler = $1) AS held,
          EXISTS (SELECT FROM synap.handler_failures WHERE handler = $1) AS failing,
          (SELECT greatest(0, extract(epoch FROM min(retry_at) - clock_timestamp()) * 1000)::float8
             FROM synap.held_streams WHERE handler = $1) AS "retryInMs",
          (SELECT max(number) FROM synap.epochs) AS epoch`;

/** Takes or renews the lease of a sink; undefined while another process has it, or the sink is paused. */
export async function takeLease(
  session: SqlSession,
  sink: string,
  runner: string,
): Promise<LeasedSink | undefined> {
  const [row] = await session.query<LeasedSink>(TAKE, [sink, runner, LEASE_MS]);
  return row;
}

/**
 * Keeps other processes from taking the sink until the transaction ends. The lease may have run out, as long as nobody else has taken it.
 *
 * @returns false if another process has taken it
 */
export async function keepLease(transaction: Transaction, sink: string, runner: string): Promise<boolean> {
  const kept = await transaction.query<{ name: string }>(
    "SELECT name FROM synap.sinks WHERE name = $1 AND runner = $2 FOR SHARE",
    [sink, runner],
  );
  return kept.length > 0;
}

/** Gives up the lease of a sink, so that another process may go on at once. */
export async function leaveLease(session: SqlSession, sink: string, runner: string): Promise<void> {
  await session.query("UPDATE synap.sinks SET runner = NULL WHERE name = $1 AND runner = $2", [sink, runner]);
}
