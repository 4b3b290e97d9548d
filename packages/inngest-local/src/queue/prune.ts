import type { QueueDatabase } from "./database.ts";

/** Retention of finished runs and of event ids, in milliseconds. */
export interface Retention {
  /** Of event ids: within this time an id starts each function once. Default 24 h. */
  readonly keys: number;
  /** Of completed runs with their steps and output, for the page. Default 1 h. Their events are deleted when the run ends. */
  readonly completedRuns: number;
  /** Of failed runs, with their events. Default 7 days. Runs of failure handlers never end as failed. */
  readonly failedRuns: number;
}

export const DEFAULT_RETENTION: Retention = {
  keys: 24 * 3_600_000,
  completedRuns: 3_600_000,
  failedRuns: 7 * 24 * 3_600_000,
};

/** Minimum age of a deleted event, so that the transaction that starts its last run is visible by then. */
const EVENT_GRACE = 5_000;
const SLICE = 100;
/** Deleted bytes or rows after which the tables are vacuumed: an embedded engine has no autovacuum. */
const VACUUM_AFTER_BYTES = 128 * 1024 * 1024;
const VACUUM_AFTER_ROWS = 20_000;

/** Deletes expired rows in slices and vacuums the tables. */
export class Pruner {
  readonly #database: QueueDatabase;
  readonly #retention: Retention;
  #deletedBytes = 0;
  #deletedRows = 0;

  constructor(database: QueueDatabase, retention: Retention) {
    this.#database = database;
    this.#retention = retention;
  }

  /** Deletes one slice of each kind. @returns true if there may be more */
  async prune(now: number): Promise<boolean> {
    const events = await this.#deleteEvents(now - EVENT_GRACE);
    const keys = await this.#deleteKeys(now);
    const completed = await this.#deleteRuns("completed", now - this.#retention.completedRuns);
    const failed = await this.#deleteRuns("failed", now - this.#retention.failedRuns);
    this.#deletedRows += events + keys + completed + failed;
    if (this.#deletedBytes >= VACUUM_AFTER_BYTES || this.#deletedRows >= VACUUM_AFTER_ROWS)
      await this.#vacuum();
    return events >= SLICE || keys >= SLICE * 10 || completed >= SLICE || failed >= SLICE;
  }

  /** Deletes events that no open or failed run refers to, except unmatched ones. */
  async #deleteEvents(before: number): Promise<number> {
    const rows = await this.#database.query<{ bytes: number }>(
      `DELETE FROM inngest_local.events
       WHERE id IN (
         SELECT e.id FROM inngest_local.events e
         WHERE e.received_at < $1::bigint
           AND NOT EXISTS (SELECT 1 FROM inngest_local.runs r WHERE r.event_id = e.id AND r.status <> 'completed')
           AND NOT EXISTS (SELECT 1 FROM inngest_local.unmatched_events u WHERE u.event_id = e.id)
         ORDER BY e.received_at
         LIMIT ${SLICE}
       )
       RETURNING octet_length(body)::float8 AS bytes`,
      [before],
    );
    for (const row of rows) this.#deletedBytes += row.bytes;
    return rows.length;
  }

  async #deleteKeys(now: number): Promise<number> {
    const rows = await this.#database.query(
      `DELETE FROM inngest_local.run_keys
       WHERE (function_id, key) IN (
         SELECT function_id, key FROM inngest_local.run_keys WHERE expires_at <= $1::bigint LIMIT ${SLICE * 10}
       )
       RETURNING 1 AS one`,
      [now],
    );
    return rows.length;
  }

  async #deleteRuns(status: "completed" | "failed", before: number): Promise<number> {
    const rows = await this.#database.query(
      `WITH old AS (
         SELECT id FROM inngest_local.runs
         WHERE status = $1::text AND ended_at IS NOT NULL AND ended_at < $2::bigint
         ORDER BY ended_at
         LIMIT ${SLICE}
       ), steps AS (
         DELETE FROM inngest_local.steps WHERE run_id IN (SELECT id FROM old)
       )
       DELETE FROM inngest_local.runs WHERE id IN (SELECT id FROM old) RETURNING 1 AS one`,
      [status, before],
    );
    return rows.length;
  }

  async #vacuum(): Promise<void> {
    this.#deletedBytes = 0;
    this.#deletedRows = 0;
    for (const table of ["events", "runs", "run_keys", "steps", "jobs"]) {
      await this.#database.query(`VACUUM inngest_local.${table}`);
    }
  }
}
