import { request } from "node:http";
import { recordDeadLetter } from "@synap/database/internal";
import { EventDispatcher } from "@synap/handlers/internal";
import { defaultApplication } from "@synap/synap/internal";
import { completeEvent, seedCatalogue } from "@synap/types";
import { arbitraryOf, type JsonSchema } from "@synap/types/testing";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { soundAppend, soundBatch, soundEvent } from "../testing/sound-bodies.ts";
import { spoiledCursors } from "../testing/spoiled-cursors.ts";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";

// Reads the API's own document and holds the API to it. SYNAP_FUZZ_SEED repeats a run, SYNAP_FUZZ_RUNS lengthens it.
const SEED = Number(process.env["SYNAP_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env["SYNAP_FUZZ_RUNS"] ?? 12);

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly schema: JsonSchema;
}
interface Media {
  readonly schema: JsonSchema;
}
interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<
    Record<string, { description: string; content?: Readonly<Record<string, Media>> }>
  >;
}
interface Call {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Media type of the body. */
  readonly type: string;
  readonly body: unknown;
  /** Between the lines of the body, where it consists of lines. */
  readonly separator: string;
}
interface ApiResponse {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

let api: TestApi;
let operations: Operation[] = [];
let components: Readonly<Record<string, JsonSchema>> = {};
const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);
const validators = new Map<string, ValidateFunction>();

beforeAll(async () => {
  api = await startTestApi({ maxTails: 1_000, maxTailsEach: 1_000 });
  const { database } = api;
  const dispatcher = new EventDispatcher({
    database,
    catalogue: seedCatalogue,
    handlers: defaultApplication.handlers,
    projections: defaultApplication.projections,
  });
  await dispatcher.projections.prepare();
  await fillLists(dispatcher);
  const document = JSON.parse(await (await fetch(`${api.url}/openapi.json`)).text());
  components = document.components.schemas;
  ajv.addSchema(document, "api");
  operations = Object.entries<Record<string, Omit<Operation, "method" | "path">>>(document.paths).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        ...operation,
        method: method.toUpperCase(),
        path,
      })),
  );
});
afterAll(() => api.stop());

/** Stores enough for two pages of every list. */
async function fillLists(dispatcher: EventDispatcher): Promise<void> {
  const note = { type: "note.creation.completed", correlationId: "many" } as const;
  const events = ["many", "many", "other"].map((aggregateId) =>
    completeEvent({ ...note, aggregateId, data: { content: "fuzz" } }),
  );
  for (const outcome of await dispatcher.store.appendBatch(events)) expect(outcome.status).toBe("stored");
  await dispatcher.catchUp("notes");
  for (const event of events)
    await recordDeadLetter(api.database, {
      handler: "fuzz",
      event,
      code: "fuzz",
      reason: "Fuzz.",
      attempts: 1,
    });
}

/** Rules between parameters, which a document can't hold, and bodies that have to name an event type that exists. */
const MADE_CONSISTENT: Readonly<Record<string, (call: Call) => Call>> = {
  publishEvent: (call) => onlyOneKey({ ...call, body: soundEvent(call.body, call.type) }),
  publishBatch: (call) => ({ ...call, body: soundBatch(call.body, call.type) }),
  appendToStream: ({ path, ...call }) =>
    onlyOneExpectation({ ...call, path: { ...path, aggregateType: "note" }, body: soundAppend(call.body) }),
  auditLog: ({ query, ...call }) => ({
    ...call,
    query: together(oneMoment(query), "subjectType", "subjectId"),
  }),
  notes: ({ query, ...call }) => ({ ...call, query: oneMoment(query) }),
  openLoops: ({ query, ...call }) => ({ ...call, query: oneMoment(query) }),
  tasks: ({ query, ...call }) => ({ ...call, query: oneMoment(query) }),
  reservations: ({ query: { guest, from, asOf, knownAt, validAt }, ...call }) => ({
    ...call,
    query: {
      ...(guest === undefined ? { from: from ?? "2026-01-01", to: from ?? "2026-01-01" } : { guest }),
      ...(asOf !== undefined && { asOf }),
      ...(asOf === undefined && knownAt !== undefined && { knownAt }),
      ...(asOf === undefined && validAt !== undefined && { validAt }),
    },
  }),
  compliance: ({ query: { from, ...query }, ...call }) => ({
    ...call,
    query: { ...oneMoment(query), from, to: from },
  }),
  eventStats: ({ query, ...call }) => ({ ...call, query: without(query, "to") }),
  // A version, a moment, and what was known are three ways to name a state.
  getAggregate: ({ query: { version, at, ...known }, ...call }) => ({
    ...call,
    query: version !== undefined ? { version } : at !== undefined ? { at } : known,
  }),
  streamEvents: (call) => ({ ...call, query: without(call.query, "aggregateId") }),
  projectionAsOf: ({ query: { moment, ...query }, ...call }) => ({
    ...call,
    query: query["position"] === undefined ? { ...query, moment: moment ?? "2026-01-01T00:00:00Z" } : query,
  }),
};

/** Leaves one of two questions: as it was, or as it was known. */
function oneMoment(query: Call["query"]): Call["query"] {
  return query["asOf"] === undefined ? query : without(without(query, "knownAt"), "validAt");
}

function without(values: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> {
  const { [name]: _, ...rest } = values;
  return rest;
}

function together(
  values: Readonly<Record<string, unknown>>,
  left: string,
  right: string,
): Record<string, unknown> {
  const isWhole = values[left] !== undefined && values[right] !== undefined;
  return isWhole ? values : without(without(values, left), right);
}

function onlyOneExpectation(call: Call): Call {
  const { "if-match": match, "if-none-match": noneMatch, ...headers } = call.headers;
  const hasBody =
    typeof call.body === "object" &&
    call.body !== null &&
    ("expectedVersion" in call.body || "expected_version" in call.body);
  if (hasBody) return { ...call, headers };
  if (noneMatch !== undefined) return { ...call, headers: { ...headers, "if-none-match": noneMatch } };
  return match === undefined ? { ...call, headers } : { ...call, headers: { ...headers, "if-match": match } };
}

function onlyOneKey({ headers, ...call }: Call): Call {
  const { body } = call;
  const isInBody =
    typeof body === "object" &&
    body !== null &&
    ["idempotencyKey", "idempotency_key", "idempotencykey"].some((name) => name in body);
  const { "idempotency-key": _, ...others } = headers;
  return { ...call, headers: isInBody ? others : headers };
}

/** Texts that some fields can't hold: names that mean a step in a path, and what the database has no room for. */
const ODD_TEXTS = [".", "..", "\u0000", "a\u0000b", "%", "/"];

const NDJSON = "application/x-ndjson";
/** The lines of a body, which the document describes in words: as a whole they are no JSON. */
const LINES: JsonSchema = {
  type: "array",
  minItems: 1,
  items: {
    anyOf: ["EventInput", "SnakeCaseEventInput"].map((name) => ({ $ref: `#/components/schemas/${name}` })),
  },
};

/** A call without a cursor: those of pages, and those that are nearly right, are sent by a test of their own. */
function callOf(operation: Operation): fc.Arbitrary<Call> {
  const place = (where: Parameter["in"]) => {
    const parameters = (operation.parameters ?? []).filter(
      (one) => one.in === where && one.name !== "cursor",
    );
    const model = Object.fromEntries(
      parameters.map(({ name, schema }) => [name, arbitraryOf(schema, components, ODD_TEXTS)]),
    );
    const requiredKeys = parameters.filter(({ required }) => required === true).map(({ name }) => name);
    return fc.record(model, { requiredKeys });
  };
  const sent = Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema }]) =>
    fc.record({
      type: fc.constant(type),
      body: arbitraryOf(type === NDJSON ? LINES : schema, components, ODD_TEXTS),
    }),
  );
  const accept = fc.constantFrom(...acceptable(operation));
  return fc
    .record({
      path: place("path").map((values) => mapValues(values, String)),
      query: place("query"),
      headers: fc
        .tuple(place("header"), accept)
        .map(([values, type]) => ({ ...mapValues(values, String), accept: type })),
      separator: fc.constantFrom("\n", "\r\n", "\n\n", " \n"),
      sent:
        sent.length === 0 ? fc.constant({ type: "application/json", body: undefined }) : fc.oneof(...sent),
    })
    .map(({ sent: { type, body }, ...call }) => ({ ...call, type, body }))
    .map(
      MADE_CONSISTENT[operation.operationId] ??
        (operation.method === "POST" ? onlyOneExpectation : (call) => call),
    );
}

/** The media types that the document has for a success. */
function acceptable({ responses }: Operation): string[] {
  const types = Object.entries(responses).flatMap(([status, { content }]) =>
    Number(status) < 300 ? Object.keys(content ?? {}) : [],
  );
  return types.length === 0 ? ["*/*"] : types;
}

function mapValues<Value>(values: object, change: (value: unknown) => Value): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}

function send(
  { method, path }: Operation,
  call: Call,
  { type = call.type, text }: { type?: string | undefined; text?: string | undefined } = {},
): Promise<ApiResponse> {
  const query = new URLSearchParams(
    Object.entries(call.query).flatMap(([name, value]) =>
      [value].flat().map((one): [string, string] => [name, String(one)]),
    ),
  );
  const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(call.path[name] ?? ""),
  );
  const sent = text ?? (call.body === undefined ? undefined : textOf(call));
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${api.url}${address}?${query}`,
      {
        method,
        headers: {
          authorization: `Bearer ${TOKEN}`,
          ...(method !== "GET" && { "content-type": type, "content-length": Buffer.byteLength(sent ?? "") }),
          ...call.headers,
        },
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        const finish = () => {
          outgoing.destroy();
          const { statusCode = 0, headers } = response;
          resolve({ status: statusCode, type: headers["content-type"] ?? "", text: body });
        };
        response.on("data", (chunk: string) => {
          body += chunk;
          // A tail does not end by itself.
          if (headersOf(response).startsWith("text/event-stream")) finish();
        });
        response.on("end", finish);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(sent);
  });
}

/** The body of a call as it is sent. */
function textOf({ type, body, separator }: Call): string {
  if (type !== NDJSON || !Array.isArray(body)) return JSON.stringify(body);
  return body.map((line) => `${JSON.stringify(line)}${separator}`).join("");
}

function headersOf({
  headers,
}: {
  readonly headers: { readonly "content-type"?: string | undefined };
}): string {
  return headers["content-type"] ?? "";
}

/** Checks a response against the document; undefined if it conforms. */
function breach(operation: Operation, { status, type, text }: ApiResponse): string | undefined {
  const described = operation.responses[status];
  if (described === undefined) return `${status} is not documented: ${text.slice(0, 300)}`;
  if (described.content === undefined) return text === "" ? undefined : `${status} has a body: ${text}`;
  const [essence = ""] = type.split(";");
  const media = type in described.content ? type : essence;
  if (described.content[media] === undefined) return `${status} as ${media} is not documented`;
  if (!essence.endsWith("json")) return undefined;
  const pointer = `api#/paths/${operation.path.replaceAll("~", "~0").replaceAll("/", "~1")}/${operation.method.toLowerCase()}/responses/${status}/content/${media.replaceAll("/", "~1")}/schema`;
  const validate =
    validators.get(pointer) ?? ajv.compile({ $ref: encodeURI(pointer).replaceAll("%23", "#") });
  validators.set(pointer, validate);
  const answer: unknown = JSON.parse(text);
  if (!validate(answer)) return `${ajv.errorsText(validate.errors)}: ${text.slice(0, 300)}`;
  const code = status < 400 ? undefined : (answer as { code: string }).code;
  if (code !== undefined && !described.description.includes(`${code}: `))
    return `the problem ${code} is not documented for it`;
  return undefined;
}

/** Refusals that say the request is malformed; others depend on what is stored, on a clock or on a business rule. */
const MALFORMED = new Set([
  "malformed-json",
  "invalid-utf8",
  "body-missing",
  "batch-invalid",
  "body-invalid",
  "parameter-invalid",
  "parameter-unknown",
  "precondition-invalid",
  "request-invalid",
  "unsupported-media-type",
  "event-invalid",
  "command-invalid",
  "batch-rejected",
  "unknown-event-type",
]);

/** The rule between parameters that a response of the document states, in words that name them. */
const TOO_WIDE = /filter-too-wide: [^.]*, given one of (.*?) and none of (.*?)\./;

/** True if the document says that the filter of a call is refused as too wide. */
function isTooWide({ responses }: Operation, { query }: Call): boolean {
  const [, ...lists] = TOO_WIDE.exec(responses["400"]?.description ?? "") ?? [];
  const [unindexed, narrowing] = lists.map((list) =>
    [...list.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name),
  );
  // A list without an item is not sent.
  const isSent = (name: string) => query[name] !== undefined && [query[name]].flat().length > 0;
  return unindexed?.some(isSent) === true && narrowing?.some(isSent) === false;
}

/** Failures that say that something else is not there yet, and no fault of the API: a worker, or an event that was asked to be waited for. */
const AWAY = new Set(["not-ready", "position-not-reached"]);

describe(`the API, by its own document (SYNAP_FUZZ_SEED=${SEED})`, () => {
  it("accepts every request that the document allows, and answers as documented", async () => {
    expect(operations.length).toBeGreaterThan(25);
    await forEachOperation((operation) =>
      fc.asyncProperty(callOf(operation), async (call) => {
        const answer = await send(operation, call);
        expect(breach(operation, answer), operation.operationId).toBeUndefined();
        const code = answer.status < 400 ? undefined : JSON.parse(answer.text).code;
        const tooWide = isTooWide(operation, call);
        if (code === "filter-too-wide") expect(tooWide, answer.text).toBe(true);
        else if (tooWide) expect(answer.status, "a filter that is too wide").toBeGreaterThanOrEqual(400);
        if (code === undefined) return;
        expect(MALFORMED.has(code), answer.text).toBe(false);
        if (!AWAY.has(code)) expect(answer.status, answer.text).toBeLessThan(500);
      }),
    );
  });

  it("states the rule of filters that are too wide", () => {
    const stated = operations.filter(({ responses }) => TOO_WIDE.test(responses["400"]?.description ?? ""));
    expect(stated.map(({ operationId }) => operationId)).toEqual(["listEvents"]);
    const [listEvents] = stated;
    if (listEvents === undefined) throw new Error("There is one.");
    const call = { path: {}, headers: {}, type: "", body: undefined, separator: "" };
    expect(isTooWide(listEvents, { ...call, query: { data: "{}", to: "x", type: [] } })).toBe(true);
    expect(isTooWide(listEvents, { ...call, query: { data: "{}", to: "x", type: "y" } })).toBe(false);
    expect(isTooWide(listEvents, { ...call, query: { to: "x" } })).toBe(false);
  });

  it("goes on from the cursors of its pages, and refuses nearly right ones with a documented problem", async () => {
    const lists = operations.filter(({ parameters }) => parameters?.some(({ name }) => name === "cursor"));
    const continued = new Set<string>();
    let latest = "AAAA";
    await forEachOperation((operation) => {
      if (!lists.includes(operation)) return undefined;
      let runs = 0;
      return fc.asyncProperty(callOf(operation), spoiledCursors, async (made, spoil) => {
        runs += 1;
        // Most filters find nothing: every other call has none.
        const isPlain = runs % 2 === 1;
        const { operationId } = operation;
        const path = FOUND[operationId] ?? made.path;
        const plain = { ...made, path, query: {} };
        const { headers, ...call } = isPlain ? plain : made;
        const first = {
          ...call,
          headers: { accept: "application/json" },
          query: { ...call.query, limit: 1 },
        };
        const page = await send(operation, first);
        const { nextCursor: cursor } = page.status === 200 ? JSON.parse(page.text) : {};
        const goOn = (next: string) => send(operation, { ...first, query: { ...first.query, cursor: next } });
        if (typeof cursor === "string") {
          const next = await goOn(cursor);
          expect([next.status, breach(operation, next)], next.text).toEqual([200, undefined]);
          continued.add(operationId);
        }
        const answer = await goOn(spoil(cursor ?? latest));
        latest = cursor ?? latest;
        expect(breach(operation, answer), answer.text).toBeUndefined();
        if (answer.status === 200) return;
        expect(answer.status, answer.text).toBeLessThan(500);
        if (page.status === 200) expect(JSON.parse(answer.text).code).toBe("cursor-invalid");
      });
    });
    expect([...continued].sort()).toEqual(lists.map(({ operationId }) => operationId).sort());
    expect(lists.length).toBeGreaterThan(7);
  });

  it("refuses what is nearly right with a documented problem, and never fails on it", async () => {
    await forEachOperation((operation) => {
      const hasBody = operation.requestBody !== undefined;
      const breaks = [
        ...(takesAnyQuery(operation) ? [] : ["unknown parameter"]),
        ...(hasBody ? ["not JSON", "form", "list", "cut off"] : []),
        // In a batch, one event that is wrong costs no other.
        ...(hasBody && operation.operationId !== "publishBatch" ? ["unknown field"] : []),
      ];
      if (breaks.length === 0) return undefined;
      return fc.asyncProperty(callOf(operation), fc.constantFrom(...breaks), async (call, how) => {
        const answer = await sendBroken(operation, call, how);
        const shown = `${how}: ${answer.status} ${answer.text.slice(0, 300)}`;
        expect(answer.status, shown).toBeGreaterThanOrEqual(400);
        expect(answer.status, shown).toBeLessThan(500);
        expect(breach(operation, answer), shown).toBeUndefined();
      });
    });
  });
});

/** Paths of the lists about one thing: of something that has more than one page. */
const FOUND: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  aggregateHistory: { type: "note", id: "many" },
  getTrace: { correlationId: "many" },
};

/** Holds a property against each operation of the document, and shows every operation that breaks it. */
async function forEachOperation<Values>(
  propertyOf: (operation: Operation) => fc.IAsyncProperty<Values> | undefined,
): Promise<void> {
  const broken: string[] = [];
  for (const operation of operations) {
    const property = propertyOf(operation);
    if (property === undefined) continue;
    const run = await fc.check(property, { seed: SEED, numRuns: RUNS, endOnFailure: true });
    if (!run.failed) continue;
    const reason = run.errorInstance instanceof Error ? run.errorInstance.message : String(run.errorInstance);
    broken.push(`${operation.operationId}: ${reason}\n${JSON.stringify(run.counterexample)}`);
  }
  expect(broken.join("\n\n")).toBe("");
}

function takesAnyQuery({ operationId }: Operation): boolean {
  return ["health", "readiness", "metrics", "index", "openapi"].includes(operationId);
}

function sendBroken(operation: Operation, call: Call, how: string): Promise<ApiResponse> {
  // Of lines the first one alone: those that are right are accepted beside it.
  const text = JSON.stringify(call.type === NDJSON && Array.isArray(call.body) ? call.body[0] : call.body);
  switch (how) {
    case "unknown parameter":
      return send(operation, { ...call, query: { ...call.query, unheardOf: "1" } });
    case "unknown field":
      return send(operation, call, { text: JSON.stringify({ ...Object(call.body), unheardOf: 1 }) });
    case "not JSON":
      return send(operation, call, { text: `${text.slice(0, 1)}'` });
    case "cut off":
      return send(operation, call, { text: text.slice(0, -1) });
    case "list":
      return send(operation, call, { text: "[[]]" });
    default:
      return send(operation, call, { type: "application/x-www-form-urlencoded" });
  }
}
