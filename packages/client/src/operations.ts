import type { ResourceName } from "./resources.ts";

/** An operation of the API: where it is, and the resource that it answers. */
export interface Operation {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With the names of parameters in braces, as in the OpenAPI document. */
  readonly path: string;
  readonly response: ResourceName | readonly ResourceName[] | "text" | "stream" | "document";
  /**
   * True if an attempt with an unknown outcome may be repeated: reading changes nothing, and events and commands carry an id
   * by which the API recognises them.
   */
  readonly repeatable: boolean;
}

const read = { method: "GET", repeatable: true } as const;
const repeat = { method: "POST", repeatable: true } as const;
const once = { method: "POST", repeatable: false } as const;

/**
 * Every operation of the API by its operationId. The types of what each takes and returns are those of the schemas in
 * `@synap/types/http`; a test compares both with the API's own document.
 */
export const OPERATIONS = {
  publishEvent: {
    ...repeat,
    path: "/api/v1/events",
    response: ["AcceptedEvent", "DuplicateEvent"],
  },
  publishBatch: { ...repeat, path: "/api/v1/events/batch", response: "BatchResults" },
  getEvent: { ...read, path: "/api/v1/events/{id}", response: "EventWithCaused" },
  getTrace: { ...read, path: "/api/v1/traces/{correlationId}", response: "Trace" },
  listEvents: {
    ...read,
    path: "/api/v1/events",
    response: "EventPage",
  },
  eventStats: { ...read, path: "/api/v1/events/stats", response: "EventStats" },
  aggregateHistory: {
    ...read,
    path: "/api/v1/events/aggregate/{type}/{id}/history",
    response: "EventPage",
  },
  listEventTypes: { ...read, path: "/api/v1/events/types", response: "EventTypePage" },
  getEventType: { ...read, path: "/api/v1/events/types/{name}", response: "EventType" },
  registerEventType: {
    method: "PUT",
    repeatable: true,
    path: "/api/v1/events/types/{name}",
    response: "RegisteredEventType",
  },
  appendToStream: {
    ...repeat,
    path: "/api/v1/streams/{aggregateType}/{aggregateId}/events",
    response: "StreamAppended",
  },
  readStream: {
    ...read,
    path: "/api/v1/streams/{aggregateType}/{aggregateId}",
    response: "StreamPage",
  },
  closeStream: {
    ...repeat,
    path: "/api/v1/streams/{aggregateType}/{aggregateId}/close",
    response: "ClosedStream",
  },
  getAggregate: {
    ...read,
    path: "/api/v1/aggregates/{type}/{id}",
    response: "Aggregate",
  },
  executeCommand: {
    ...repeat,
    path: "/api/v1/{path}/{id}/{command}",
    response: "CommandResult",
  },
  readModel: { ...read, path: "/api/v1/{readModel}", response: "document" },
  openLoops: { ...read, path: "/api/v1/open-loops", response: "OpenLoops" },
  tasks: { ...read, path: "/api/v1/tasks", response: "Tasks" },
  reservations: {
    ...read,
    path: "/api/v1/reservations",
    response: "Reservations",
  },
  notes: { ...read, path: "/api/v1/notes", response: "Notes" },
  auditLog: {
    ...read,
    path: "/api/v1/audit-log",
    response: "AuditLog",
  },
  compliance: {
    ...read,
    path: "/api/v1/compliance",
    response: "Compliance",
  },
  status: { ...read, path: "/api/v1/status", response: "Status" },
  getSession: { ...read, path: "/api/v1/session", response: "CurrentSession" },
  endSession: { method: "DELETE", repeatable: false, path: "/api/v1/session", response: "EndedSession" },
  createSignInLink: { ...once, path: "/api/v1/session/links", response: "SignInLink" },
  metrics: { ...read, path: "/metrics", response: "text" },
  health: { ...read, path: "/healthz", response: "Health" },
  readiness: { ...read, path: "/readyz", response: "Readiness" },
  openapi: { ...read, path: "/openapi.json", response: "document" },
  asyncapi: { ...read, path: "/asyncapi.json", response: "document" },
  adminStatus: { ...read, path: "/api/v1/admin/status", response: "AdminStatus" },
  streamEvents: { ...read, path: "/api/v1/events/stream", response: "stream" },
  listDeadLetters: {
    ...read,
    path: "/api/v1/admin/dead-letters",
    response: "DeadLetterPage",
  },
  getDeadLetter: { ...read, path: "/api/v1/admin/dead-letters/{id}", response: "DeadLetter" },
  listUnprocessedEvents: { ...read, path: "/api/v1/events/unprocessed", response: "UnprocessedEvents" },
  getEventProcessing: { ...read, path: "/api/v1/events/{id}/processing", response: "EventProcessing" },
  changeEventProcessing: {
    method: "PUT",
    repeatable: false,
    path: "/api/v1/events/{id}/processing",
    response: "ProcessingChange",
  },
  retryDeadLetters: { ...once, path: "/api/v1/admin/dead-letters/retry", response: "DeadLetterOutcomes" },
  retryDeadLetter: { ...once, path: "/api/v1/admin/dead-letters/{id}/retry", response: "DeadLetterOutcome" },
  skipDeadLetter: { ...once, path: "/api/v1/admin/dead-letters/{id}/skip", response: "DeadLetterOutcome" },
  listProjections: { ...read, path: "/api/v1/admin/projections", response: "Projections" },
  getProjection: { ...read, path: "/api/v1/admin/projections/{name}", response: "Projection" },
  projectionAsOf: { ...read, path: "/api/v1/admin/projections/{name}/as-of", response: "ProjectionAsOf" },
  pauseProjection: { ...once, path: "/api/v1/admin/projections/{name}/pause", response: "ProjectionBuild" },
  resumeProjection: { ...once, path: "/api/v1/admin/projections/{name}/resume", response: "ProjectionBuild" },
  rollbackProjection: {
    ...once,
    path: "/api/v1/admin/projections/{name}/rollback",
    response: "ProjectionCutover",
  },
  rebuildProjection: {
    ...once,
    path: "/api/v1/admin/projections/{name}/rebuild",
    response: "ProjectionBuild",
  },
  compareProjection: {
    ...once,
    path: "/api/v1/admin/projections/{name}/compare",
    response: "ProjectionComparison",
  },
  cutOverProjection: {
    ...once,
    path: "/api/v1/admin/projections/{name}/cutover",
    response: "ProjectionCutover",
  },
  listSinks: { ...read, path: "/api/v1/admin/sinks", response: "Sinks" },
  getSink: { ...read, path: "/api/v1/admin/sinks/{name}", response: "Sink" },
  pauseSink: { ...once, path: "/api/v1/admin/sinks/{name}/pause", response: "Sink" },
  resumeSink: { ...once, path: "/api/v1/admin/sinks/{name}/resume", response: "Sink" },
  dropProjectionBuild: { ...once, path: "/api/v1/admin/projections/{name}/drop", response: "DroppedBuild" },
} as const satisfies Record<string, Operation>;

/** The operationId of an operation. */
export type OperationName = keyof typeof OPERATIONS;
