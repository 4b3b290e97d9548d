import type { PrincipalKind } from "@synap/types/http";
import type { SentRequest } from "./expect-hidden.ts";
import type { Caller, HiddenLog } from "./hidden-log.ts";

/** A request by which a stranger reaches for the owner's rows. */
export interface Attempt extends SentRequest {
  /** Status of the answer to a stranger... */
  readonly stranger: number;
  /** ...and to the owner, whose answer has what the stranger's must not; left out where he reaches for rows of the stranger. */
  readonly owner?: number;
  /** True if the answer to the owner has none of his rows either. */
  readonly isBare?: boolean;
  /** True if the answer to a stranger can't be the one for what does not exist, because a name or an id is taken only once. */
  readonly isTaken?: boolean;
}

export const get = (
  path: string,
  stranger: number,
  owner?: number,
  more: Partial<Attempt> = {},
): Attempt => ({
  path: `/api/v1${path}`,
  stranger,
  ...(owner !== undefined && { owner }),
  ...more,
});

export const post = (
  path: string,
  body: unknown,
  stranger: number,
  owner?: number,
  more: Partial<Attempt> = {},
): Attempt => ({ ...get(path, stranger, owner, more), method: "POST", body });

function append(
  stream: string,
  body: object,
  stranger: number,
  owner?: number,
  more: Partial<Attempt> = {},
): Attempt {
  return post(`/streams/note/${stream}/events`, { events: [note()], ...body }, stranger, owner, more);
}

const note = (fields: object = {}) => ({
  type: "note.creation.requested",
  data: { content: "x" },
  ...fields,
});
const stay = { data: { guestId: "g", startDate: "2031-01-01" } };
const otherDay = { data: { startDate: "2031-01-02" } };
const ill = { data: { reason: "ill" } };
const HIDDEN_STAY = { data: { guestId: "bee-commanded-guest", startDate: "2031-08-17" } };
const HIDDEN_KEY = { "idempotency-key": "bee-command" };
const match = (version: string) => ({ "if-match": version });
const noneMatch = { "if-none-match": "*" };

/** The forms of a response beside the usual one. */
const FORMS = [
  'application/json; profile="snake"',
  "application/cloudevents+json",
  "application/cloudevents-batch+json",
].map((accept) => ({ headers: { accept } }));

/** A command that the owner executes before the attempts begin. */
export const HIDDEN_COMMAND = post("/reservations/bee-commanded/create", HIDDEN_STAY, 201, 201, {
  headers: HIDDEN_KEY,
});

/** Cursors of pages of the owner and of staff. */
export interface Cursors {
  readonly events: readonly string[];
  readonly auditLog: readonly string[];
}

/** The attempts of a stranger on an operation. */
type Attempts = (me: Caller, log: HiddenLog, cursors: Cursors) => readonly Attempt[];

/** The present, as a moment of the past: every row that there is now. */
const now = () => new Date().toISOString();

/** The status of a read model whose rows belong to users. */
const ofUsers = (kind: PrincipalKind) => (kind === "user" ? 200 : 403);

/** Attempts on every operation that strangers may use, by its operationId. A new operation fails the test until it has its line. */
export const ATTEMPTS: Readonly<Record<string, Attempts>> = {
  listEvents: ({ id }, log, cursors) => [
    get("/events", 200, 200),
    get("/events?limit=1&order=asc", 200, 200),
    get("/events?limit=1000", 200, 200),
    get("/events?userId=bee-user", 200, 200),
    get("/events?createdBy=user:bee-user", 200, 200),
    get("/events?aggregateType=note&aggregateId=bee-note", 200, 200),
    get(`/events?aggregateType=note&aggregateId=${id}-note`, 200),
    get("/events?correlationId=bee-flow", 200, 200),
    get(`/events?correlationId=${id}-flow`, 200),
    get(`/events?causationId=${log.events[0]?.causationId}`, 200, 200),
    get("/events?source=bee-source&type=note.creation.requested", 200, 200),
    get('/events?type=note.creation.requested&data={"tags":["bee-tag"]}', 200, 200),
    get("/events?type=note.creation.requested&from=2019-01-01T00:00:00Z&to=2019-12-31T00:00:00Z", 200, 200),
    get("/events?recordedFrom=2020-01-01T00:00:00Z", 200, 200),
    get("/events?corrections=marked&limit=1000", 200, 200),
    get(`/events?corrections=applied&knownAt=${now()}&limit=1000`, 200, 200),
    get("/events?type=beesecret.kept", 400, 200),
    get("/events?type=beesecret.kep", 400, 400, { isBare: true }),
    get("/events?aggregateType=beesecret", 400, 200),
    get("/events?aggregateType=beesecre", 400, 400, { isBare: true }),
    ...cursors.events.map((cursor) => get(`/events?limit=500&cursor=${cursor}`, 200, 200)),
    ...FORMS.map((form) => get("/events?userId=bee-user", 200, 200, form)),
    get("/events?cursor=abc", 400, 400, { isBare: true }),
  ],
  eventStats: () => [
    get("/events/stats", 200, 200),
    get("/events/stats?from=2019-03-01&to=2019-03-31", 200, 200),
    get("/events/stats?from=2019-03-01&to=2019-03-31&limit=1", 200, 200),
    ...FORMS.slice(0, 1).map((form) => get("/events/stats", 200, 200, form)),
  ],
  getEvent: ({ eventId }, log) => [
    ...log.events.slice(-6).map(({ id }) => get(`/events/${id}`, 404, 200)),
    get(`/events/${log.events[0]?.id}?caused=10`, 404, 200),
    get(`/events/${eventId}?caused=10`, 200),
    ...FORMS.map((form) => get(`/events/${log.events[0]?.id}`, 404, 200, form)),
  ],
  streamEvents: ({ id }, log) => [
    get("/events/stream?from=start", 200, 200),
    get("/events/stream?from=start&userId=bee-user", 200, 200),
    get("/events/stream?from=start&createdBy=user:bee-user", 200, 200),
    get("/events/stream?from=start&source=bee-source", 200, 200),
    get("/events/stream?from=start&aggregateType=note&aggregateId=bee-note", 200, 200),
    get(`/events/stream?from=start&aggregateType=note&aggregateId=${id}-note`, 200),
    get("/events/stream?from=start&correlationId=bee-flow", 200, 200),
    get(`/events/stream?from=start&causationId=${log.events[0]?.causationId}`, 200, 200),
    get(`/events/stream?from=${log.events[0]?.position}`, 200, 200),
    get("/events/stream", 200, 200, { isBare: true }),
    get("/events/stream?from=start&type=beesecret.kept", 400, 200),
    get("/events/stream?from=start&aggregateType=beesecret", 400, 200),
  ],
  getTrace: ({ id }, log) => [
    get("/traces/bee-flow", 404, 200),
    get(`/traces/${log.events[0]?.id}`, 404, 200),
    get(`/traces/${id}-flow`, 200),
    ...FORMS.map((form) => get("/traces/bee-flow", 404, 200, form)),
  ],
  aggregateHistory: ({ id }) => [
    get("/events/aggregate/note/bee-note/history", 404, 200),
    get("/events/aggregate/note/bee-shared/history", 404, 200),
    get("/events/aggregate/beesecret/bee-secret/history", 404, 200),
    get(`/events/aggregate/note/${id}-note/history`, 200),
    ...FORMS.map((form) => get(`/events/aggregate/note/${id}-note/history`, 200, undefined, form)),
    get(`/events/aggregate/note/${id}-note/history?limit=1`, 200),
  ],
  readStream: ({ id }) => [
    get("/streams/note/bee-note", 404, 200),
    get("/streams/note/bee-note?fromVersion=137", 404, 200),
    get("/streams/note/bee-note?direction=backwards&limit=1", 404, 200),
    get("/streams/note/bee-shared", 404, 200),
    get("/streams/beesecret/bee-secret", 404, 200),
    get(`/streams/note/${id}-note`, 200),
    ...FORMS.map((form) => get("/streams/note/bee-note", 404, 200, form)),
    get(`/streams/note/${id}-note?limit=1&direction=backwards`, 200),
  ],
  getAggregate: ({ id }) => [
    get("/aggregates/note/bee-note", 404, 200),
    get("/aggregates/note/bee-note?version=137", 404, 200),
    get("/aggregates/note/bee-note?version=999", 404, 404),
    get("/aggregates/note/bee-note?at=2019-06-01T00:00:00Z", 404, 200),
    get("/aggregates/note/bee-shared", 404, 200, { isBare: true }),
    get("/aggregates/reservation/bee-reservation", 404, 200),
    get("/aggregates/reservation/bee-reservation?version=9", 404, 404, { isBare: true }),
    get("/aggregates/beesecret/bee-secret", 404, 200),
    get("/aggregates/beesecre/bee-secret", 404, 404, { isBare: true }),
    get(`/aggregates/note/${id}-note`, 200),
    get(`/aggregates/note/${id}-note?at=${now()}`, 200),
    get("/aggregates/note/bee-note?validAt=2100-01-01T00:00:00Z", 404, 200),
    get(`/aggregates/note/${id}-note?validAt=2100-01-01T00:00:00Z`, 200),
  ],
  publishEvent: ({ id, kind }, { events: [_, taken] }) => [
    post("/events", note({ id: taken?.id }), 409, 409, { isTaken: true }),
    post("/events", note({ aggregateId: "bee-note", userId: "bee-user" }), 403),
    post("/events", note({ aggregateId: `${id}-new`, idempotencyKey: "bee-key-1" }), 202),
    post("/events", note({ aggregateId: `${id}-note` }), 202),
    post("/events", note({ aggregateId: `${id}-note`, metadata: { corrects: taken?.id } }), 422),
    // Agents and machines are the operator's: what they publish may be about everybody.
    post("/events", note({ aggregateId: "bee-note" }), kind === "user" ? 409 : 202, undefined, {
      isTaken: true,
    }),
  ],
  publishBatch: ({ id, kind }, { events: [_, taken] }) => [
    post("/events/batch", [note({ id: taken?.id })], 422, 422, { isTaken: true }),
    post("/events/batch", [note({ id: taken?.id }), note({ aggregateId: `${id}-new` })], 202),
    post("/events/batch", [note({ aggregateId: "bee-shared" })], kind === "user" ? 422 : 202, undefined, {
      isTaken: true,
    }),
    post("/events/batch", [note({ idempotencyKey: "bee-key-1" }), note({ createdBy: "user:bee-user" })], 202),
    post("/events/batch", [note()], 202, undefined, { headers: HIDDEN_KEY }),
  ],
  appendToStream: ({ id }, { events: [_, taken] }) => [
    append("bee-note", {}, 409, undefined, { isTaken: true }),
    append("bee-note", {}, 409, 409, { headers: noneMatch, isTaken: true }),
    append("bee-note", { expectedVersion: 0 }, 409, 409, { isTaken: true }),
    append("bee-note", {}, 409, undefined, { headers: match('"137"') }),
    append("bee-note", {}, 409, undefined, { headers: match("*") }),
    append("bee-note", { expectedVersion: 5 }, 409, 409),
    append("bee-note", { events: [note({ data: {} })], expectedVersion: 137 }, 422),
    append("bee-note", { events: [note({ id: taken?.id })] }, 409, 409, { isBare: true, isTaken: true }),
    append(`${id}-fresh`, { events: [note({ id: taken?.id })] }, 409, undefined, { isTaken: true }),
    append(`${id}-fresh`, { events: [note({ idempotencyKey: "bee-key-1" })] }, 201),
    append("bee-note", {}, 409, undefined, { headers: HIDDEN_KEY, isTaken: true }),
    append(`${id}-fresh`, {}, 201, undefined, { headers: HIDDEN_KEY }),
    append(`${id}-note`, { expectedVersion: 99 }, 409),
    append(`${id}-note`, { events: [note({ metadata: { retracts: taken?.id } })] }, 422),
  ],
  closeStream: ({ id }) => [
    post("/streams/note/bee-note/close", {}, 404),
    post("/streams/note/bee-note/close", {}, 404, 409, { headers: noneMatch }),
    post("/streams/note/bee-note/close", {}, 409, undefined, { headers: match('"137"') }),
    post("/streams/note/bee-note/close", {}, 409, 409, { headers: match('"5"') }),
    post("/streams/note/bee-note/close", {}, 409, undefined, { headers: match("*") }),
    post("/streams/note/bee-shared/close", {}, 404),
    post(`/streams/note/${id}-other/close`, {}, 200),
  ],
  "create-reservation": () => [
    post("/reservations/bee-reservation/create", stay, 409, 409, { isBare: true, isTaken: true }),
    post("/reservations/bee-reservation/create", stay, 409, 409, { headers: match('"9"'), isBare: true }),
    post("/reservations/bee-commanded/create", stay, 409, undefined, { headers: HIDDEN_KEY, isTaken: true }),
    { ...HIDDEN_COMMAND, stranger: 409, owner: 200, isTaken: true },
  ],
  "reschedule-reservation": () => [
    post("/reservations/bee-reservation/reschedule", otherDay, 409),
    post("/reservations/bee-reservation/reschedule", otherDay, 409, 409, {
      headers: match('"9"'),
      isBare: true,
    }),
  ],
  "cancel-reservation": () => [
    post("/reservations/bee-reservation/cancel", ill, 409),
    post("/reservations/bee-reservation/cancel", ill, 409, undefined, { headers: match('"1"') }),
  ],
  openLoops: ({ id, kind }) => [
    get("/open-loops?owner=bee-user", ofUsers(kind), 200),
    get("/open-loops?owner=bee-user&limit=1", ofUsers(kind), 200),
    get(`/open-loops?owner=${id}`, ofUsers(kind)),
    get(`/open-loops?owner=bee-user&asOf=${now()}`, ofUsers(kind), 200),
    get(`/open-loops?owner=bee-user&validAt=${now()}`, ofUsers(kind), 200),
  ],
  tasks: ({ id, kind }) => [
    get("/tasks", ofUsers(kind), 200),
    get("/tasks?owner=bee-user", ofUsers(kind), 200),
    get(`/tasks?owner=${id}`, ofUsers(kind)),
    get(`/tasks?asOf=${now()}`, ofUsers(kind), 200),
    get(`/tasks?validAt=${now()}`, ofUsers(kind), 200),
  ],
  reservations: ({ id, kind }) => [
    get("/reservations?guest=bee-user", ofUsers(kind), 200),
    get("/reservations?from=2031-07-01&to=2031-07-31", ofUsers(kind), 200),
    get("/reservations?from=2031-07-01&to=2031-07-31&resource=bee-visit-room", ofUsers(kind), 200),
    get(`/reservations?guest=${id}`, ofUsers(kind)),
    get(`/reservations?guest=bee-user&asOf=${now()}`, ofUsers(kind), 200),
    get(`/reservations?guest=bee-user&validAt=${now()}`, ofUsers(kind), 200),
  ],
  notes: ({ id }) => [
    get("/notes?userId=bee-user", 200, 200),
    get("/notes?userId=bee-user&limit=1", 200, 200),
    get(`/notes?userId=${id}`, 200),
    get("/notes", 200, 200),
    get("/notes?createdBy=user:bee-user", 200, 200),
    get(`/notes?userId=bee-user&asOf=${now()}`, 200, 200),
    get(`/notes?userId=bee-user&validAt=${now()}`, 200, 200),
    get(`/notes?createdBy=user:bee-user&userId=${id}`, 200),
  ],
  auditLog: ({ id }, _, cursors) => [
    get("/audit-log", 200, 200),
    get("/audit-log?actor=user:bee-user&limit=1", 200, 200),
    get("/audit-log?limit=1000", 200, 200),
    get(`/audit-log?actor=user:bee-user&asOf=${now()}`, 200, 200),
    get(`/audit-log?actor=user:bee-user&knownAt=${now()}`, 409, 409, { isBare: true }),
    get("/audit-log?actor=user:bee-user", 200, 200),
    get("/audit-log?subjectType=note&subjectId=bee-note", 200, 200),
    get("/audit-log?subjectType=note&subjectId=bee-shared", 200, 200),
    get(`/audit-log?subjectType=note&subjectId=${id}-note`, 200),
    get("/audit-log?actor=user:bee-user&subjectType=note&subjectId=bee-note", 200, 200),
    ...cursors.auditLog.map((cursor) => get(`/audit-log?cursor=${cursor}`, 200, 200)),
    get("/audit-log?cursor=abc", 400, 400, { isBare: true }),
  ],
  asyncapi: () => [{ path: "/asyncapi.json", stranger: 200, owner: 200, isBare: true }],
  getSession: () => [get("/session", 200)],
  endSession: () => [{ ...get("/session", 409, 409, { isBare: true }), method: "DELETE" }],
  createSignInLink: () => [post("/session/links", {}, 409, 409, { isBare: true })],
  listEventTypes: () => [get("/events/types", 200, 200, { isBare: true })],
  getEventType: () => [
    get("/events/types/beesecret.kept", 404, 404, { isBare: true }),
    get("/events/types/beesecret.kep", 404, 404, { isBare: true }),
  ],
};
