import {
  bigint,
  boolean,
  integer,
  json,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import { synapSchema } from "./events.ts";

const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });
const momentText = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: "string" });
const whole = (name: string) => bigint(name, { mode: "number" });

/** Streams with the versions of their last events. */
export const streams = synapSchema.table(
  "streams",
  {
    version: whole("version").notNull(),
    closedAt: moment("closed_at"),
    aggregateType: text("aggregate_type").notNull(),
    aggregateId: text("aggregate_id").notNull(),
    // Text, because a Date can't represent "-infinity" and "infinity".
    firstTimestamp: momentText("first_timestamp").notNull(),
    lastTimestamp: momentText("last_timestamp").notNull(),
    userId: text("user_id"),
    createdBy: text("created_by"),
  },
  (table) => [primaryKey({ columns: [table.aggregateType, table.aggregateId] })],
);

/** Position and time of each event by its id. */
export const eventIds = synapSchema.table("event_ids", {
  id: uuid("id").primaryKey(),
  timestamp: moment("timestamp").notNull(),
  position: whole("position").notNull(),
  streamVersion: whole("stream_version").notNull(),
});

/** Position and time of each event by its creator's idempotency key. */
export const idempotencyKeys = synapSchema.table(
  "idempotency_keys",
  {
    createdBy: text("created_by").notNull(),
    key: text("key").notNull(),
    eventId: uuid("event_id").notNull(),
    timestamp: moment("timestamp").notNull(),
    position: whole("position").notNull(),
    streamVersion: whole("stream_version").notNull(),
  },
  (table) => [primaryKey({ columns: [table.createdBy, table.key] })],
);

/** The append log: one row per append. */
export const appends = synapSchema.table("appends", {
  number: whole("number").primaryKey(),
  lastPosition: whole("last_position").notNull(),
  count: integer("count").notNull(),
  minTimestamp: moment("min_timestamp").notNull(),
  maxTimestamp: moment("max_timestamp").notNull(),
  recordedAt: moment("recorded_at").notNull(),
});

/** Checkpoints of handlers. */
export const checkpoints = synapSchema.table("checkpoints", {
  position: whole("position").notNull(),
  updatedAt: moment("updated_at").notNull().defaultNow(),
  handler: text("handler").primaryKey(),
});

/** Events that a handler could not process. */
export const deadLetters = synapSchema.table(
  "dead_letters",
  {
    id: whole("id").primaryKey().generatedAlwaysAsIdentity(),
    position: whole("position"),
    firstFailedAt: moment("first_failed_at").notNull().defaultNow(),
    lastFailedAt: moment("last_failed_at").notNull().defaultNow(),
    attempts: integer("attempts").notNull(),
    handler: text("handler").notNull(),
    eventId: text("event_id").notNull(),
    code: text("code").notNull(),
    reason: text("reason").notNull(),
    status: text("status", { enum: ["open", "retried", "skipped"] })
      .notNull()
      .default("open"),
    event: json("event").notNull(),
    content: text("content").notNull().default(""),
    aggregateType: text("aggregate_type"),
    aggregateId: text("aggregate_id"),
    resolvedAt: moment("resolved_at"),
    resolvedBy: text("resolved_by"),
    resolution: text("resolution"),
  },
  (table) => [unique().on(table.handler, table.eventId, table.content)],
);

/** Streams that a handler holds because of a dead letter or a retry. */
export const heldStreams = synapSchema.table(
  "held_streams",
  {
    deadLetterId: whole("dead_letter_id"),
    position: whole("position"),
    retryAt: moment("retry_at"),
    firstFailedAt: moment("first_failed_at"),
    failedAt: moment("failed_at"),
    attempts: integer("attempts"),
    transient: boolean("transient"),
    handler: text("handler").notNull(),
    aggregateType: text("aggregate_type").notNull(),
    aggregateId: text("aggregate_id").notNull(),
    eventId: text("event_id"),
    code: text("code"),
    reason: text("reason"),
  },
  (table) => [primaryKey({ columns: [table.handler, table.aggregateType, table.aggregateId] })],
);

/** Events of held streams. */
export const parkedEvents = synapSchema.table(
  "parked_events",
  {
    position: whole("position").notNull(),
    parkedAt: moment("parked_at").notNull().defaultNow(),
    handler: text("handler").notNull(),
    aggregateType: text("aggregate_type").notNull(),
    aggregateId: text("aggregate_id").notNull(),
    event: json("event").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.handler, table.aggregateType, table.aggregateId, table.position] }),
  ],
);

/** Running API and worker processes. */
export const runningProcesses = synapSchema.table("running_processes", {
  startedAt: moment("started_at").notNull().defaultNow(),
  seenAt: moment("seen_at").notNull().defaultNow(),
  instance: text("instance").primaryKey(),
  role: text("role", { enum: ["api", "worker"] }).notNull(),
  release: text("release").notNull(),
  fingerprint: text("fingerprint").notNull(),
  eventTypes: json("event_types").notNull(),
});

/** Applied SQL files of this package and of applications, with the release that applied them. */
export const migrations = synapSchema.table(
  "migrations",
  {
    ledger: text("ledger").notNull().default("synap"),
    name: text("name").notNull(),
    checksum: text("checksum").notNull(),
    release: text("release").notNull(),
    object: text("object"),
    appliedAt: moment("applied_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.ledger, table.name] })],
);
