import { setTimeout } from "node:timers/promises";
import type { QueueDatabase } from "./database.ts";

/**
 * The tables, in the order of their creation. All times are milliseconds since 1970 as bigint, by the queue's own clock
 * (queue-clock.ts): a bigint reads the same through every driver, whatever a session is set to. All JSON is text: it is never searched, and
 * jsonb would refuse a NUL character that JSON allows.
 */
const STATEMENTS: readonly string[] = [
  `CREATE SCHEMA IF NOT EXISTS inngest_local`,

  // The stand-in that works on this queue, and when it was last seen to. A second one that starts takes it over; the first
  // notices and stops.
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

  // The event as functions see it. Out of line and uncompressed: bodies are large, written once and short-lived.
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
     begun_anew integer NOT NULL DEFAULT 0,
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

  `CREATE INDEX IF NOT EXISTS runs_begun_anew ON inngest_local.runs (id) WHERE begun_anew > 0`,

  // Events that no function listened to when they came in. They stay until one does.
  `CREATE TABLE IF NOT EXISTS inngest_local.unheard_events (
     event_id text PRIMARY KEY,
     event_name text NOT NULL,
     bytes integer NOT NULL
   )`,
  `CREATE INDEX IF NOT EXISTS unheard_events_name ON inngest_local.unheard_events (event_name, event_id)`,

  // What started a function once and must not start it again.
  `CREATE TABLE IF NOT EXISTS inngest_local.run_keys (
     function_id text NOT NULL,
     key text NOT NULL,
     run_id text NOT NULL,
     expires_at bigint NOT NULL,
     PRIMARY KEY (function_id, key)
   )`,
  `CREATE INDEX IF NOT EXISTS run_keys_expiry ON inngest_local.run_keys (expires_at)`,

  `CREATE SEQUENCE IF NOT EXISTS inngest_local.step_places`,
  `CREATE TABLE IF NOT EXISTS inngest_local.steps (
     run_id text NOT NULL,
     id text NOT NULL,
     op text NOT NULL,
     name text NOT NULL,
     race boolean NOT NULL DEFAULT false,
     status text NOT NULL CHECK (status IN ('pending', 'done')),
     memo text,
     place bigint,
     created_at bigint NOT NULL,
     ended_at bigint,
     PRIMARY KEY (run_id, id)
   )`,

  // What is to be done: a call to the app, or a timer (function_id '') that ends a sleep.
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

/** Attempts to create the tables while another process creates them as well. */
const ATTEMPTS = 20;
const PAUSE_MS = 50;

/** Created by another process at this moment: unique_violation in a catalogue, duplicate_schema, duplicate_table, duplicate_object. */
const CREATED_MEANWHILE: ReadonlySet<unknown> = new Set(["23505", "42P06", "42P07", "42710"]);

/**
 * Creates the schema `inngest_local` and its tables where they are missing. Needs CREATE on the database the first
 * time; after that it changes nothing. Safe to run from several processes at once: without a lock, which any login could
 * hold, all but one of them may fail, and look again.
 */
export async function installInngestLocal(database: QueueDatabase): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await database.transaction(async (transaction) => {
        for (const statement of STATEMENTS) await transaction.query(statement);
      });
      return;
    } catch (error) {
      if (attempt === ATTEMPTS || !CREATED_MEANWHILE.has(sqlState(error))) throw error;
      await setTimeout(PAUSE_MS);
    }
  }
}

/** The state that PostgreSQL gave an error, through every driver and one wrapper. */
function sqlState(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error) return error.code;
  return error.cause instanceof Error && "code" in error.cause ? error.cause.code : undefined;
}
