import type { ResourceName } from "./resources.ts";

/** An operation of the API: where it is, what it takes beside a body, and the resource that it answers. */
export interface Operation {
  readonly method: "GET" | "POST";
  /** With the names of parameters in braces, as in the OpenAPI document. */
  readonly path: string;
  readonly query?: readonly string[];
  readonly headers?: readonly string[];
  readonly answer: ResourceName | readonly ResourceName[] | "text" | "stream" | "document";
  /**
   * Whether an attempt may follow one whose outcome is unknown: reading changes nothing, and events and commands carry an id
   * by which the API recognises them.
   */
  readonly repeatable: boolean;
}

const read = { method: "GET", repeatable: true } as const;
const repeat = { method: "POST", repeatable: true } as const;
const once = { method: "POST", repeatable: false } as const;

/** Every operation of the API by its operationId. A test compares it with the API's own document. */
export const OPERATIONS = {
  publishEvent: {
    ...repeat,
    path: "/api/v1/events",
    query: ["backfill"],
    answer: ["AcceptedEvent", "DuplicateEvent"],
  },
  publishBatch: { ...repeat, path: "/api/v1/events/batch", query: ["backfill"], answer: "BatchResults" },
  getEvent: { ...read, path: "/api/v1/events/{id}", answer: "StoredEvent" },
  listEvents: {
    ...read,
    path: "/api/v1/events",
    query: [
      "from",
      "to",
      "type",
      "aggregateType",
      "aggregateId",
      "userId",
      "correlationId",
      "limit",
      "order",
      "cursor",
    ],
    answer: "EventPage",
  },
  appendToStream: {
    ...repeat,
    path: "/api/v1/streams/{aggregateType}/{aggregateId}/events",
    query: ["backfill"],
    headers: ["if-match", "if-none-match"],
    answer: "StreamAppended",
  },
  readStream: {
    ...read,
    path: "/api/v1/streams/{aggregateType}/{aggregateId}",
    query: ["fromVersion", "toVersion", "direction", "limit"],
    answer: "StreamPage",
  },
  closeStream: {
    ...repeat,
    path: "/api/v1/streams/{aggregateType}/{aggregateId}/close",
    headers: ["if-match", "if-none-match"],
    answer: "ClosedStream",
  },
  getAggregate: {
    ...read,
    path: "/api/v1/aggregates/{type}/{id}",
    query: ["version", "at"],
    answer: "Aggregate",
  },
  executeCommand: {
    ...repeat,
    path: "/api/v1/{path}/{id}/{command}",
    headers: ["if-match", "idempotency-key"],
    answer: "CommandResult",
  },
  readModel: { ...read, path: "/api/v1/{readModel}", answer: "document" },
  openLoops: { ...read, path: "/api/v1/open-loops", query: ["owner", "limit"], answer: "OpenLoops" },
  tasks: { ...read, path: "/api/v1/tasks", query: ["owner", "limit"], answer: "Tasks" },
  reservations: {
    ...read,
    path: "/api/v1/reservations",
    query: ["guest", "from", "to", "resource"],
    answer: "Reservations",
  },
  notes: { ...read, path: "/api/v1/notes", query: ["userId", "before", "limit"], answer: "Notes" },
  auditLog: {
    ...read,
    path: "/api/v1/audit-log",
    query: ["actor", "subjectType", "subjectId", "before", "limit"],
    answer: "AuditLog",
  },
  compliance: {
    ...read,
    path: "/api/v1/compliance",
    query: ["from", "to"],
    answer: "Compliance",
  },
  status: { ...read, path: "/api/v1/status", answer: "Status" },
  metrics: { ...read, path: "/metrics", answer: "text" },
  health: { ...read, path: "/healthz", answer: "Health" },
  readiness: { ...read, path: "/readyz", answer: "Readiness" },
  openapi: { ...read, path: "/openapi.json", answer: "document" },
  adminStatus: { ...read, path: "/api/v1/admin/status", answer: "AdminStatus" },
  tailEvents: {
    ...read,
    path: "/api/v1/admin/events/tail",
    query: ["from", "type", "aggregateType", "aggregateId"],
    headers: ["last-event-id"],
    answer: "stream",
  },
  listDeadLetters: {
    ...read,
    path: "/api/v1/admin/dead-letters",
    query: ["handler", "status", "aggregateType", "aggregateId", "limit", "cursor"],
    answer: "DeadLetterPage",
  },
  getDeadLetter: { ...read, path: "/api/v1/admin/dead-letters/{id}", answer: "DeadLetter" },
  retryDeadLetters: { ...once, path: "/api/v1/admin/dead-letters/retry", answer: "DeadLetterOutcomes" },
  retryDeadLetter: { ...once, path: "/api/v1/admin/dead-letters/{id}/retry", answer: "DeadLetterOutcome" },
  skipDeadLetter: { ...once, path: "/api/v1/admin/dead-letters/{id}/skip", answer: "DeadLetterOutcome" },
  listProjections: { ...read, path: "/api/v1/admin/projections", answer: "Projections" },
  getProjection: { ...read, path: "/api/v1/admin/projections/{name}", answer: "Projection" },
  pauseProjection: { ...once, path: "/api/v1/admin/projections/{name}/pause", answer: "ProjectionBuild" },
  resumeProjection: { ...once, path: "/api/v1/admin/projections/{name}/resume", answer: "ProjectionBuild" },
  rollbackProjection: {
    ...once,
    path: "/api/v1/admin/projections/{name}/rollback",
    answer: "ProjectionCutover",
  },
  rebuildProjection: { ...once, path: "/api/v1/admin/projections/{name}/rebuild", answer: "ProjectionBuild" },
  compareProjection: {
    ...once,
    path: "/api/v1/admin/projections/{name}/compare",
    answer: "ProjectionComparison",
  },
  cutOverProjection: {
    ...once,
    path: "/api/v1/admin/projections/{name}/cutover",
    answer: "ProjectionCutover",
  },
  dropProjectionBuild: { ...once, path: "/api/v1/admin/projections/{name}/drop", answer: "DroppedBuild" },
} as const satisfies Record<string, Operation>;

/** The operationId of an operation. */
export type OperationName = keyof typeof OPERATIONS;
