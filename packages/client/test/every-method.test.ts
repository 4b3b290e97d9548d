import type { EventInput, seedCatalogue } from "@synap/types";
import { HTTP_REQUESTS, type RequestSchemas } from "@synap/types/http";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  type AggregateMoment,
  type AppendOptions,
  type AuditQuery,
  type CommandOptions,
  createSynapClient,
  type DeadLetterQuery,
  type EventStatsQuery,
  type EventTypeRegistration,
  OPERATIONS,
  type OperationName,
  type PageSize,
  type PublishOptions,
  type ReadModelOptions,
  type ReadModels,
  type ReadOptions,
  type ReservationsQuery,
  type RetryRequest,
  type StoredEventQuery,
  type StreamRead,
  type SubscriptionRequest,
  type SynapClient,
  type TraceRequest,
  type UnprocessedQuery,
} from "../src/index.ts";

type Client = SynapClient<typeof seedCatalogue>;
type Admin = Client["admin"];

/** Options of a method without those of the call itself, each of them given. */
type Every<Options> = Options extends object ? Required<Omit<Options, "signal">> : never;
type Last<Method extends (...args: never) => unknown> = NonNullable<
  Required<Parameters<Method>> extends [...unknown[], infer Options] ? Options : never
>;

const AN_ID = "019aa000-0000-7000-8000-000000000001";
const A_TIME = "2026-11-01T10:00:00.000Z";
const stream = { aggregateType: "note", aggregateId: "n" };
const event = {
  id: AN_ID,
  version: "v1",
  type: "note.creation.requested",
  ...stream,
  data: { content: "Hello" },
  userId: "u",
  createdBy: "user:u",
  schemaVersion: 1,
  source: "test",
  timestamp: A_TIME,
  requestId: "r",
  correlationId: "c",
  causationId: AN_ID,
  idempotencyKey: "k",
  validFrom: A_TIME,
  validTo: A_TIME,
  metadata: {},
} as const satisfies Required<EventInput>;
const { aggregateType: _type, aggregateId: _id, ...streamEvent } = event;

const waiting: Every<ReadModelOptions> = {
  after: 7,
  waitSeconds: 2,
  asOf: A_TIME,
  knownAt: A_TIME,
  validAt: A_TIME,
};
const reservations: Every<ReservationsQuery>[] = [
  { guest: "g" },
  { from: "2026-11-01", to: "2026-11-02", resource: "r" },
];
const lamps = (synap: Client) => synap.aggregates({ type: "lamp", path: "lamps" });

/** Every operation, and the calls of the client that together give it everything that it takes. */
const CALLS: Record<OperationName, (synap: Client) => readonly unknown[]> = {
  publishEvent: (synap) => [synap.publish(event, { backfill: true } satisfies Every<PublishOptions>)],
  publishBatch: (synap) => [synap.publishBatch([event], { backfill: true } satisfies Every<PublishOptions>)],
  getEvent: (synap) => [
    synap.getEventWithCaused(AN_ID, { limit: 7 } satisfies Every<Last<Client["getEventWithCaused"]>>),
    synap.getEvent(AN_ID, { minPosition: 7 }),
  ],
  getTrace: (synap) => [synap.trace("c", { limit: 7, cursor: "next" } satisfies Every<TraceRequest>)],
  listEvents: (synap) => [
    synap
      .query({
        type: ["note.creation.requested", "task.created"],
        ...stream,
        userId: "u",
        correlationId: "c",
        causationId: AN_ID,
        createdBy: "user:u",
        source: "s",
        from: new Date(A_TIME),
        to: A_TIME,
        recordedFrom: new Date(A_TIME),
        recordedTo: A_TIME,
        validAt: A_TIME,
        knownAt: A_TIME,
        corrections: "applied",
        data: { title: "t" },
        order: "asc",
        processed: false,
        pageSize: 7,
        minPosition: 7,
      } satisfies Every<StoredEventQuery<"note.creation.requested" | "task.created">>)
      .next(),
  ],
  eventStats: (synap) => [
    synap.eventStats({ from: "2026-11-01", to: "2026-11-02", limit: 7 } satisfies Every<EventStatsQuery>),
  ],
  aggregateHistory: (synap) => [
    synap.history(stream, { pageSize: 7, minPosition: 7 } satisfies Every<PageSize & ReadOptions>).next(),
  ],
  listEventTypes: (synap) => [synap.eventTypes({ pageSize: 7 } satisfies Every<PageSize>).next()],
  getEventType: (synap) => [synap.getEventType("note.creation.requested")],
  appendToStream: (synap) => [
    synap.append(stream, [streamEvent], {
      expectedVersion: 3,
      backfill: true,
    } satisfies Every<AppendOptions>),
  ],
  readStream: (synap) => [
    synap
      .readStream(stream, {
        fromVersion: 2,
        toVersion: 9,
        direction: "backwards",
        pageSize: 7,
        minPosition: 7,
      } satisfies Every<StreamRead>)
      .next(),
  ],
  closeStream: (synap) => [
    synap.closeStream(stream, { expectedVersion: 3 } satisfies Every<Last<Client["closeStream"]>>),
    synap.closeStream(stream, { expectedVersion: "no-stream" }),
  ],
  getAggregate: (synap) => [
    synap.getAggregate(stream, {
      version: 3,
      at: A_TIME,
      knownAt: A_TIME,
      validAt: A_TIME,
    } satisfies Every<AggregateMoment>),
    lamps(synap).load("l", {
      version: 3,
      at: new Date(A_TIME),
      knownAt: new Date(A_TIME),
      validAt: new Date(A_TIME),
    } satisfies Every<AggregateMoment>),
  ],
  executeCommand: (synap) => [
    lamps(synap).execute("l", { type: "switch", data: {} } as never, {
      expectedVersion: 3,
      idempotencyKey: "k",
      userId: "u",
      createdBy: "user:u",
      source: "test",
      correlationId: "c",
      causationId: AN_ID,
      metadata: {},
    } satisfies Every<CommandOptions>),
    lamps(synap).execute("l", { type: "switch", data: {} } as never, { expectedVersion: "no-stream" }),
  ],
  readModel: (synap) => [synap.readModel("open-orders")],
  openLoops: (synap) => [
    synap.readModels.whatsNext({ owner: "o", limit: 7, ...waiting } satisfies Every<
      Last<ReadModels["whatsNext"]>
    >),
  ],
  tasks: (synap) => [
    synap.readModels.openTasks({ owner: "o", limit: 7, ...waiting } satisfies Every<
      Last<ReadModels["openTasks"]>
    >),
  ],
  reservations: (synap) =>
    reservations.map((query) => synap.readModels.reservations({ ...query, ...waiting })),
  notes: (synap) => [
    synap.readModels
      .notes({ userId: "u", createdBy: "system", pageSize: 7, ...waiting } satisfies Every<
        Last<ReadModels["notes"]>
      >)
      .next(),
  ],
  auditLog: (synap) => [
    synap.readModels
      .auditLog({
        actor: "system",
        subjectType: "note",
        subjectId: "n",
        pageSize: 7,
        ...waiting,
      } satisfies Every<AuditQuery & ReadModelOptions>)
      .next(),
  ],
  compliance: (synap) => [
    synap.readModels.compliance({ from: "2026-11-01", to: "2026-11-02", ...waiting } satisfies Every<
      Last<ReadModels["compliance"]>
    >),
  ],
  status: (synap) => [synap.status()],
  getSession: (synap) => [synap.session()],
  endSession: (synap) => [synap.signOut()],
  createSignInLink: (synap) => [
    synap.signInLink({ returnTo: "/docs" } satisfies Every<Parameters<Client["signInLink"]>[0] & object>),
  ],
  metrics: (synap) => [synap.metrics()],
  health: (synap) => [synap.health()],
  readiness: (synap) => [synap.readiness()],
  openapi: (synap) => [synap.openapi()],
  asyncapi: (synap) => [synap.asyncapi()],
  adminStatus: (synap) => [synap.admin.status()],
  streamEvents: (synap) => [
    synap
      .subscribe({
        from: "start",
        type: "note.creation.requested",
        stream,
        userId: "u",
        correlationId: "c",
        causationId: AN_ID,
        createdBy: "user:u",
        source: "s",
        onProgress: () => undefined,
        onConnect: () => undefined,
        onReconnect: () => undefined,
      } satisfies Every<SubscriptionRequest<"note.creation.requested">>)
      .next(),
  ],
  registerEventType: (synap) => [
    synap.registerEventType("shop.cart_abandoned", {
      description: "A cart was left.",
      aggregateType: "cart",
      schema: { type: "object" },
      example: { items: 1 },
    } satisfies Every<EventTypeRegistration>),
  ],
  listDeadLetters: (synap) => [
    synap.admin
      .deadLetters({ handler: "h", status: "open", ...stream, pageSize: 7 } satisfies Every<DeadLetterQuery>)
      .next(),
  ],
  getDeadLetter: (synap) => [synap.admin.deadLetter(1)],
  listUnprocessedEvents: (synap) => [
    synap.admin
      .unprocessedEvents({
        handler: "h",
        type: "task.created",
        state: "failed",
        pageSize: 7,
      } satisfies Every<UnprocessedQuery>)
      .next(),
  ],
  getEventProcessing: (synap) => [synap.admin.eventProcessing(AN_ID)],
  changeEventProcessing: (synap) => [
    synap.admin.changeEventProcessing(AN_ID, { action: "skip", handler: "h", reason: "because" }),
    synap.admin.changeEventProcessing(AN_ID, { action: "retry", handler: "h", reason: "repaired" }),
  ],
  retryDeadLetters: (synap) => [
    synap.admin.retryDeadLetters({
      handler: "h",
      code: "c",
      after: 1,
      limit: 7,
    } satisfies Every<RetryRequest>),
  ],
  retryDeadLetter: (synap) => [synap.admin.retryDeadLetter(1)],
  skipDeadLetter: (synap) => [synap.admin.skipDeadLetter(1, "because")],
  listProjections: (synap) => [synap.admin.projections()],
  getProjection: (synap) => [synap.admin.projection("p")],
  projectionAsOf: (synap) => [
    synap.admin.projectionAsOf("p", { position: 7, limit: 7 }),
    synap.admin.projectionAsOf("p", { moment: new Date(A_TIME) }),
  ],
  pauseProjection: (synap) => [synap.admin.pauseProjection("p")],
  resumeProjection: (synap) => [synap.admin.resumeProjection("p")],
  rollbackProjection: (synap) => [
    synap.admin.rollbackProjection("p", { from: 2 } satisfies Every<Last<Admin["rollbackProjection"]>>),
  ],
  rebuildProjection: (synap) => [
    synap.admin.rebuildProjection("p", { version: 2 } satisfies Every<Last<Admin["rebuildProjection"]>>),
  ],
  compareProjection: (synap) => [synap.admin.compareProjection("p")],
  cutOverProjection: (synap) => [
    synap.admin.cutOverProjection("p", { maxLagEvents: 1, maxDifference: 2, compare: false } satisfies Every<
      Last<Admin["cutOverProjection"]>
    >),
  ],
  listSinks: (synap) => [synap.admin.sinks()],
  getSink: (synap) => [synap.admin.sink("s")],
  pauseSink: (synap) => [synap.admin.pauseSink("s")],
  resumeSink: (synap) => [synap.admin.resumeSink("s")],
  dropProjectionBuild: (synap) => [synap.admin.dropProjectionBuild("p", "previous")],
};

/** First pages after which another follows. */
const FIRST_PAGES: Partial<Record<OperationName, object>> = {
  listEvents: { events: [], nextCursor: "next" },
  aggregateHistory: { events: [], nextCursor: "next" },
  listEventTypes: { eventTypes: [], nextCursor: "next" },
  listDeadLetters: { deadLetters: [], nextCursor: "next" },
  listUnprocessedEvents: { events: [], nextCursor: "next" },
  notes: { notes: [], nextCursor: "next" },
  auditLog: { entries: [], nextCursor: "next" },
};

/** Fields that the client omits on purpose, because another one has the same value. */
const OMITTED_FIELDS: Partial<Record<OperationName, readonly string[]>> = {
  // The client gives each event its id.
  publishEvent: ["headers.idempotency-key"],
  publishBatch: ["headers.idempotency-key"],
  // Also `expectedVersion` in the body.
  appendToStream: ["headers.if-match", "headers.if-none-match", "headers.idempotency-key"],
  // The client keeps no responses.
  listEventTypes: ["headers.if-none-match"],
  getEventType: ["headers.if-none-match"],
  getEvent: ["headers.if-none-match"],
  openapi: ["headers.if-none-match"],
  asyncapi: ["headers.if-none-match"],
  // `from`.
  streamEvents: ["headers.last-event-id"],
};

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | string[]>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

async function requestsOf(name: OperationName): Promise<Sent[]> {
  const sent: Sent[] = [];
  const synap = createSynapClient<typeof seedCatalogue>({
    url: "http://synap.example",
    retry: { attempts: 1 },
    fetch: (target, { method = "GET", headers, body } = {}) => {
      const { pathname, searchParams } = new URL(String(target));
      const valuesOf = (parameter: string): string | string[] => {
        const values = searchParams.getAll(parameter);
        return values.length > 1 ? values : (values[0] ?? "");
      };
      const parameters = [...new Set(searchParams.keys())];
      sent.push({
        method,
        path: pathname,
        query: Object.fromEntries(parameters.map((parameter) => [parameter, valuesOf(parameter)])),
        headers: Object.fromEntries(new Headers(headers)),
        body: typeof body === "string" ? JSON.parse(body) : undefined,
      });
      const page = sent.length === 1 ? FIRST_PAGES[name] : undefined;
      const refusal = { code: "internal-error", title: "", detail: "", status: 400 };
      return Promise.resolve(new Response(JSON.stringify(page ?? refusal), { status: page ? 200 : 400 }));
    },
  });
  await Promise.allSettled(CALLS[name](synap));
  return sent;
}

/** Paths of what a schema has and a value lacks. */
function lackedBy(value: unknown, schema: z.ZodType, path: string): string[] {
  if (schema instanceof z.ZodOptional) return lackedBy(value, schema.unwrap() as z.ZodType, path);
  if (schema instanceof z.ZodUnion) {
    const each = schema.options.map((option) => lackedBy(value, option as z.ZodType, path));
    return each.sort((one, other) => one.length - other.length)[0] ?? [];
  }
  if (schema instanceof z.ZodArray) {
    return Array.isArray(value) ? lackedBy(value[0], schema.element as z.ZodType, `${path}[0]`) : [path];
  }
  if (schema instanceof z.ZodUndefined) return [];
  if (!(schema instanceof z.ZodObject)) return value === undefined ? [path] : [];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [path];
  const given = new Map<string, unknown>(Object.entries(value));
  return Object.entries<z.ZodType>(schema.shape).flatMap(([name, each]) =>
    lackedBy(given.get(name), each, `${path}.${name}`),
  );
}

/** Faults of the requests of an operation, by the schemas that the API's document has. */
function faultsOf(sent: readonly Sent[], schemas: RequestSchemas): string[] {
  const { query = z.strictObject({}), headers = z.object({}), body = z.undefined() } = schemas;
  const parts = [
    ["query", query],
    ["headers", headers],
    ["body", body],
  ] as const;
  const faults = parts.flatMap(([part, schema]) => {
    const values = sent.map((request) => request[part]);
    const invalid = values.flatMap((value) => schema.safeParse(value).error?.issues ?? []);
    const [lacked = [], ...others] = values.map((value) => lackedBy(value, schema, part));
    return [
      ...invalid.map(({ path, message }) => `${[part, ...path].join(".")}: ${message}`),
      ...lacked.filter((path) => others.every((each) => each.includes(path))),
    ];
  });
  return [...new Set(faults)];
}

/** A client, or a part of one, each of whose calls gets the signal in its options. */
function withSignal<Part extends object>(part: Part, signal: AbortSignal): Part {
  return new Proxy(part, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member === "object" && member !== null) return withSignal(member, signal);
      if (typeof member !== "function") return member;
      return (...given: unknown[]) => {
        // It makes no call itself.
        if (name === "aggregates") return withSignal(Object(member(...given)), signal);
        if (name === "readModel") return member(...given, {}, { signal });
        const last = given.at(-1);
        const hasOptions = typeof last === "object" && last !== null && !Array.isArray(last);
        return member(...given.slice(0, hasOptions ? -1 : undefined), { ...(hasOptions && last), signal });
      };
    },
  });
}

describe("a method of the client", () => {
  const names = Object.keys(OPERATIONS) as OperationName[];

  it.each(names)("performs %s", async (name) => {
    const { method, path } = OPERATIONS[name];
    const pattern = new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
    const sent = await requestsOf(name);
    expect(sent.length).toBeGreaterThan(0);
    for (const request of sent) {
      expect(request).toMatchObject({ method, path: expect.stringMatching(pattern) });
    }
  });

  // The parameters of other read models are those of their definitions.
  it.each(names.filter((name) => name !== "readModel"))(
    "can give %s everything that it takes, and nothing else",
    async (name) => {
      expect(faultsOf(await requestsOf(name), HTTP_REQUESTS[name])).toEqual(OMITTED_FIELDS[name] ?? []);
    },
  );

  it.each(names)("that calls %s ends with the reason of its signal, without a response", async (name) => {
    const controller = new AbortController();
    const reason = new Error("nobody waits for it");
    const synap = createSynapClient<typeof seedCatalogue>({
      url: "http://synap.example",
      fetch: (_target, { signal } = {}) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(signal.reason));
          queueMicrotask(() => controller.abort(reason));
        }),
    });
    const calls = CALLS[name](withSignal(synap, controller.signal));
    for (const call of await Promise.allSettled(calls)) expect(call).toEqual({ status: "rejected", reason });
  });
});
