import type { ResourceName } from "./resources.ts";

/** An operation of the API: where it is, and the resource that it answers. */
export interface Operation {
  readonly method: "GET" | "POST";
  /** With the names of parameters in braces, as in the OpenAPI document. */
  readonly path: string;
  readonly answer: ResourceName | readonly ResourceName[] | "text" | "stream" | "document";
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
 * Every operation of the API by its operationId. What each takes and answers has the types of the schemas in
 * `@synap/types/http`; a test compares both with the API's own document.
 */
export const OPERATIONS = {
  publishEvent: {
    ...repeat,
    path: "/api/v1/events",
    answer: ["AcceptedEvent", "DuplicateEvent"],
  },
  publishBatch: { ...repeat, path: "/api/v1/events/batch", answer: "BatchResults" },
  getEvent: { ...read, path: "/api/v1/events/{id}", answer: "StoredEvent" },
  listEvents: {
    ...read,
    path: "/api/v1/events",
    answer: "EventPage",
  },
  appendToStream: {
    ...repeat,
    path: "/api/v1/streams/{aggregateType}/{aggregateId}/events",
    answer: "StreamAppended",
  },
  readStream: {
    ...read,
    path: "/api/v1/streams/{aggregateType}/{aggregateId}",
    answer: "StreamPage",
  },
  closeStream: {
    ...repeat,
    path: "/api/v1/streams/{aggregateType}/{aggregateId}/close",
    answer: "ClosedStream",
  },
  getAggregate: {
    ...read,
    path: "/api/v1/aggregates/{type}/{id}",
    answer: "Aggregate",
  },
  executeCommand: {
    ...repeat,
    path: "/api/v1/{path}/{id}/{command}",
    answer: "CommandResult",
  },
  readModel: { ...read, path: "/api/v1/{readModel}", answer: "document" },
  openLoops: { ...read, path: "/api/v1/open-loops", answer: "OpenLoops" },
  tasks: { ...read, path: "/api/v1/tasks", answer: "Tasks" },
  reservations: {
    ...read,
    path: "/api/v1/reservations",
    answer: "Reservations",
  },
  notes: { ...read, path: "/api/v1/notes", answer: "Notes" },
  auditLog: {
    ...read,
    path: "/api/v1/audit-log",
    answer: "AuditLog",
  },
  compliance: {
    ...read,
    path: "/api/v1/compliance",
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
    answer: "stream",
  },
  listDeadLetters: {
    ...read,
    path: "/api/v1/admin/dead-letters",
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
