import { sqlState } from "../connection/database-errors.ts";
import type { Sessions } from "../connection/sql-session.ts";

/** Thrown when the database answers but accepts no writes. The database's own error, if any, is the cause. */
export class NotWritableError extends Error {
  override readonly name = "NotWritableError";
  readonly code: "DISK_FULL" | "READ_ONLY";

  constructor(code: NotWritableError["code"], options?: ErrorOptions) {
    super(
      code === "DISK_FULL"
        ? "The database's disk is full."
        : "The database accepts no writes: it is read-only, or TimescaleDB is restoring (timescaledb_post_restore() ends that).",
      options,
    );
    this.code = code;
  }
}

const DISK_FULL = "53100";
/** SQLSTATEs of a write on a standby or in a read-only transaction. */
const READ_ONLY: ReadonlySet<string> = new Set(["25006", "55000"]);

// TimescaleDB refuses events while it restores. An unfinished restore leaves the setting on.
const IS_READ_ONLY = `
SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'
       OR coalesce(current_setting('timescaledb.restoring', true), 'off') = 'on' AS read_only`;

// With so little memory, the series (about a megabyte) spills into a temporary file on the data disk.
const LIMIT_MEMORY = "SELECT set_config('work_mem', '64kB', true)";
const SPILL_TO_DISK = "SELECT count(*)::int AS rows FROM generate_series(1, 30000)";
// An empty record in the write-ahead log forces a real commit.
const WRITE_EMPTY_RECORD = "SELECT pg_logical_emit_message(true, 'synap.write-probe', '')::text AS lsn";

/**
 * Checks that the database can store events: its disk has room, it is not a standby, and a commit goes
 * through. Leaves nothing behind. About 10 ms.
 *
 * @throws NotWritableError, or the database's own error when it does not answer
 */
export async function probeWrite(sessions: Pick<Sessions, "transaction">): Promise<void> {
  try {
    await sessions.transaction(async (transaction) => {
      const [state] = await transaction.query<{ read_only: boolean }>(IS_READ_ONLY);
      if (state?.read_only === true) throw new NotWritableError("READ_ONLY");
      await transaction.query(LIMIT_MEMORY);
      await transaction.query(SPILL_TO_DISK);
      await transaction.query(WRITE_EMPTY_RECORD);
    });
  } catch (error) {
    const state = sqlState(error);
    if (state === DISK_FULL) throw new NotWritableError("DISK_FULL", { cause: error });
    if (state !== undefined && READ_ONLY.has(state))
      throw new NotWritableError("READ_ONLY", { cause: error });
    throw error;
  }
}
