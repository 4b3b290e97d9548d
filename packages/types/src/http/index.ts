/**
 * The resources of Synap's HTTP API as schemas: the routes, the OpenAPI document, the client and the commands share them.
 */
import { AGGREGATE_REQUESTS, AGGREGATE_RESOURCES } from "./aggregates.ts";
import { DEAD_LETTER_REQUESTS, DEAD_LETTER_RESOURCES } from "./dead-letters.ts";
import { EVENT_STATS_REQUESTS, EVENT_STATS_RESOURCES } from "./event-stats.ts";
import { EVENT_TYPE_REQUESTS, EVENT_TYPE_RESOURCES } from "./event-types.ts";
import { EVENT_REQUESTS, EVENT_RESOURCES } from "./events.ts";
import { SESSION_REQUESTS, SESSION_RESOURCES } from "./identity.ts";
import { problem } from "./problem.ts";
import { PROCESSING_REQUESTS, PROCESSING_RESOURCES } from "./processing.ts";
import { PROJECTION_REQUESTS, PROJECTION_RESOURCES } from "./projections.ts";
import { READ_MODEL_OPERATIONS, READ_MODEL_RESOURCES } from "./read-models.ts";
import { SINK_REQUESTS, SINK_RESOURCES } from "./sinks/sinks.ts";
import { STATUS_REQUESTS, STATUS_RESOURCES } from "./status.ts";
import { STREAM_REQUESTS, STREAM_RESOURCES } from "./streams.ts";

export * from "./aggregates.ts";
export * from "./dead-letters.ts";
export * from "./event-stats.ts";
export * from "./event-types.ts";
export * from "./events.ts";
export * from "./identity.ts";
export * from "./parameter-forms.ts";
export * from "./problem.ts";
export * from "./problem-codes.ts";
export * from "./processing.ts";
export * from "./projections.ts";
export * from "./read-models.ts";
export * from "./sinks/sinks.ts";
export * from "./status.ts";
export * from "./streams.ts";

/** Every resource, by its name in the OpenAPI document. */
export const HTTP_RESOURCES = {
  ...EVENT_RESOURCES,
  ...EVENT_STATS_RESOURCES,
  ...EVENT_TYPE_RESOURCES,
  ...STREAM_RESOURCES,
  ...STATUS_RESOURCES,
  ...SESSION_RESOURCES,
  Problem: problem,
  ...DEAD_LETTER_RESOURCES,
  ...PROCESSING_RESOURCES,
  ...PROJECTION_RESOURCES,
  ...SINK_RESOURCES,
  ...AGGREGATE_RESOURCES,
  ...READ_MODEL_RESOURCES,
} as const;

/** The path and query parameters, headers and body of every operation, by its operationId in the OpenAPI document. */
export const HTTP_REQUESTS = {
  ...EVENT_REQUESTS,
  ...EVENT_STATS_REQUESTS,
  ...EVENT_TYPE_REQUESTS,
  ...STREAM_REQUESTS,
  ...STATUS_REQUESTS,
  ...SESSION_REQUESTS,
  ...DEAD_LETTER_REQUESTS,
  ...PROCESSING_REQUESTS,
  ...PROJECTION_REQUESTS,
  ...SINK_REQUESTS,
  ...AGGREGATE_REQUESTS,
  ...READ_MODEL_OPERATIONS,
} as const;
