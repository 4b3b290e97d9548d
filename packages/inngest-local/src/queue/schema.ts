import { setTimeout } from "node:timers/promises";
import type { QueueDatabase } from "./database.ts";

/**
 * The tables, in the order of their creation. Times are milliseconds since 1970 by the queue's own clock (queue-clock.ts),
 * stored as bigint because every driver reads it alike whatever the session's settings. JSON is stored as text: it is
 * never searched, and jsonb would reject a NUL character that JSON allows.
 */
const STATEMENTS: readonly string[] = [
  // CREATE SCHEMA IF NOT EXISTS would need CREATE on the database for a schema that exists, too.
  `DO $$
   BEGIN
     IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'inngest_local') THEN
       CREATE SCHEMA inngest_local;
     END IF;
   END
   $$`,

  // The broker that owns this queue and the last time it recorded. A second one that starts takes over; the first notices
  // and stops.
  `CREATE TABLE IF NOT EXISTS inngest_local.owner (
     one boolean PRIMARY KEY DEFAULT true CHECK (one),
     instance text NOT NULL,
     seen_at bigint NOT NULL DEFAULT 0
   )`,

  `CREATE TABLE IF NOT EXISTS inngest_local.apps (
     name text PRIMARY KEY,
     url text NOT NULL,
     sdk text NOT NULL,
     functions text NOT NULL,
     registered_at bigint NOT NULL
   )`,

  // The event as functions receive it. Out of line and uncompressed: bodies are large, written once and short-lived.
  `CREATE TABLE IF NOT EXISTS inngest_local.events (
     id text PRIMARY KEY,
     body text NOT NULL,
     received_at bigint NOT NULL
   )`,
  `ALTER TABLE inngest_local.events ALTER COLUMN body SET STORAGE EXTERNAL`,
  `CREATE INDEX IF NOT EXISTS events_received ON inngest_local.events (received_at)`,

  `CREATE TABLE IF NOT EXISTS inngest_local.runs (
     id text PRIMARY KEY,
     function_id text NOT NULL,
     event_id text NOT NULL,
     event_name text NOT NULL,
     status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'completed', 'failed')),
     attempt integer NOT NULL DEFAULT 0,
     quiet boolean NOT NULL,
     restarts integer NOT NULL DEFAULT 0,
     plan_steps boolean NOT NULL DEFAULT false,
     request_version integer NOT NULL DEFAULT -1,
     output text,
     error text,
     created_at bigint NOT NULL,
     started_at bigint,
     ended_at bigint
   )`,
  `CREATE INDEX IF NOT EXISTS runs_event ON inngest_local.runs (event_id)`,
  `CREATE INDEX IF NOT EXISTS runs_created ON inngest_local.runs (created_at)`,
  `CREATE INDEX IF NOT EXISTS runs_ended ON inngest_local.runs (status, ended_at) WHERE ended_at IS NOT NULL`,

  `CREATE INDEX IF NOT EXISTS runs_restarts ON inngest_local.runs (id) WHERE restarts > 0`,

  // Events that matched no function when they were accepted. They are kept until one is registered.
  `CREATE TABLE IF NOT EXISTS inngest_local.unmatched_events (
     event_id text PRIMARY KEY,
     event_name text NOT NULL,
     bytes integer NOT NULL
   )`,
  `CREATE INDEX IF NOT EXISTS unmatched_events_name ON inngest_local.unmatched_events (event_name, event_id)`,

  // Deduplication keys: each starts a function once until it expires.
  `CREATE TABLE IF NOT EXISTS inngest_local.run_keys (
     function_id text NOT NULL,
     key text NOT NULL,
     run_id text NOT NULL,
     expires_at bigint NOT NULL,
     PRIMARY KEY (function_id, key)
   )`,
  `CREATE INDEX IF NOT EXISTS run_keys_expiry ON inngest_local.run_keys (expires_at)`,

  `CREATE SEQUENCE IF NOT EXISTS inngest_local.step_order`,
  `CREATE TABLE IF NOT EXISTS inngest_local.steps (
     run_id text NOT NULL,
     id text NOT NULL,
     op text NOT NULL,
     name text NOT NULL,
     race boolean NOT NULL DEFAULT false,
     status text NOT NULL CHECK (status IN ('pending', 'done')),
     memo text,
     finish_order bigint,
     created_at bigint NOT NULL,
     ended_at bigint,
     PRIMARY KEY (run_id, id)
   )`,

  // Scheduled work: a call to the app, or a timer (function_id '') that ends a sleep.
  `CREATE TABLE IF NOT EXISTS inngest_local.jobs (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     run_id text NOT NULL,
     function_id text NOT NULL,
     step_id text NOT NULL,
     attempt integer NOT NULL DEFAULT 0,
     due_at bigint NOT NULL
   )`,
  `CREATE INDEX IF NOT EXISTS jobs_due ON inngest_local.jobs (function_id, due_at, id)`,
  `CREATE INDEX IF NOT EXISTS jobs_run ON inngest_local.jobs (run_id)`,
];

/** Attempts to create the tables while another process creates them too. */
const ATTEMPTS = 20;
const PAUSE_MS = 50;

/** SQLSTATEs of a concurrent creation: unique_violation in a catalogue, duplicate_schema, duplicate_table, duplicate_object. */
const CREATED_CONCURRENTLY: ReadonlySet<unknown> = new Set(["23505", "42P06", "42P07", "42710"]);

/**
 * Creates the schema `inngest_local` and its missing tables. Needs CREATE on the database the first time; afterwards it
 * changes nothing. Several processes may run it concurrently: all but one may fail, and try again. A lock would not do,
 * because any login could hold it.
 */
export async function installInngestLocal(database: QueueDatabase): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await database.transaction(async (transaction) => {
        for (const statement of STATEMENTS) await transaction.query(statement);
      });
      return;
    } catch (error) {
      if (attempt === ATTEMPTS || !CREATED_CONCURRENTLY.has(sqlState(error))) throw error;
      await setTimeout(PAUSE_MS);
    }
  }
}

/** Returns PostgreSQL's SQLSTATE of an error from any driver, also one level below a wrapper. */
function sqlState(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error) return error.code;
  return error.cause instanceof Error && "code" in error.cause ? error.cause.code : undefined;
}
