import type { JsonObject } from "@synap/types";
import {
  bigint,
  index,
  integer,
  jsonb,
  pgSchema,
  primaryKey,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";

/** The schema of all tables. */
export const synapSchema = pgSchema("synap");

const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

/** The hypertable of all events. Read only: append through the store, which enforces the guarantees. */
export const events = synapSchema.table(
  "events",
  {
    position: bigint("position", { mode: "number" }).notNull(),
    streamVersion: bigint("stream_version", { mode: "number" }).notNull(),
    timestamp: moment("timestamp").notNull(),
    recordedAt: moment("recorded_at").notNull(),
    validFrom: moment("valid_from"),
    validTo: moment("valid_to"),
    id: uuid("id").notNull(),
    causationId: uuid("causation_id"),
    version: text("version").notNull(),
    type: text("type").notNull(),
    aggregateType: text("aggregate_type").notNull(),
    aggregateId: text("aggregate_id").notNull(),
    userId: text("user_id"),
    createdBy: text("created_by").notNull(),
    source: text("source").notNull(),
    requestId: text("request_id"),
    correlationId: text("correlation_id"),
    idempotencyKey: text("idempotency_key"),
    data: jsonb("data").$type<JsonObject>().notNull(),
    metadata: jsonb("metadata").$type<JsonObject>(),
    /** Null for version 1. */
    schemaVersion: integer("schema_version"),
  },
  (table) => [
    primaryKey({ name: "events_pkey", columns: [table.timestamp, table.position] }),
    index("events_position").on(table.position),
    index("events_stream").on(table.aggregateType, table.aggregateId, table.streamVersion),
  ],
);
