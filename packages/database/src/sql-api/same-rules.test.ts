import { randomUUID } from "node:crypto";
import {
  defineEventType,
  type EventInput,
  type EventIssue,
  type JsonObject,
  MAX_EVENT_BYTES,
  seedCatalogue,
} from "@synap/types";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { postEvent } from "../../testing/post-event.ts";
import type { EventStore } from "../index.ts";
import { createEventStore, sqlState } from "../internal.ts";
import { syncEventTypes } from "./sync-event-types.ts";

const DAY = 24 * 60 * 60 * 1000;
const inMs = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString();
const nested = (levels: number): JsonObject => {
  let deep: JsonObject = {};
  for (let level = 2; level < levels; level += 1) deep = { deep };
  return { content: "x", deep };
};
const wide = (values: number) => ({ content: "x", list: Array.from({ length: values - 3 }, () => 1) });

/** An event type that allows any data. */
const probe = defineEventType({
  name: "probe.made",
  description: "Something to try the rules on.",
  schema: z.record(z.string(), z.json()),
  example: { content: "x" },
});

const versioned = defineEventType({
  name: "gauge.read",
  description: "A gauge was read; its third form.",
  version: 3,
  schema: z.strictObject({ celsius: z.number(), place: z.string() }),
  example: { celsius: 1.5, place: "roof" },
  upcast: {
    1: { schema: z.strictObject({ text: z.string() }), up: ({ text }) => ({ celsius: Number(text) }) },
    2: { schema: z.strictObject({ celsius: z.number() }), up: (data) => ({ ...data, place: "roof" }) },
  },
});
const read = { type: "gauge.read" };

const base = { type: "probe.made", data: { content: "x" } };

const sound: Record<string, () => EventInput> = {
  "type and data alone": () => base,
  "every field": () => ({
    ...base,
    id: "0190f3a2-7b1e-7c3d-8a4f-5b6c7d8e9f01",
    aggregateType: "probe",
    aggregateId: "p 1/ä",
    userId: "u1",
    createdBy: "agent:planner",
    source: "erp",
    timestamp: inMs(-1000),
    requestId: "r1",
    correlationId: "c1",
    causationId: "00000000-0000-0000-0000-000000000000",
    idempotencyKey: "k1",
    validFrom: "1970-01-01T00:00:00.000Z",
    validTo: "9999-12-31T23:59:59.999Z",
    metadata: { trace: null },
  }),
  "fields of the longest kind": () => ({
    ...base,
    aggregateId: "a".repeat(128),
    userId: "😀".repeat(128),
    createdBy: `user:${"u".repeat(128)}`,
    source: "s".repeat(64),
    requestId: "r".repeat(128),
    correlationId: "c".repeat(128),
    idempotencyKey: "k".repeat(255),
  }),
  "a creator with the longest name in UTF-16": () => ({ ...base, createdBy: `user:${"😀".repeat(64)}` }),
  "nearly a week ago": () => ({ ...base, timestamp: inMs(-7 * DAY + 60_000) }),
  "nearly five minutes ahead": () => ({ ...base, timestamp: inMs(4 * 60_000) }),
  "a time with another offset": () => ({
    ...base,
    timestamp: inMs(0).replace(/Z$/, "+00:00"),
  }),
  "the deepest nesting": () => ({ ...base, data: nested(32) }),
  "the most values": () => ({ ...base, data: wide(50_000) }),
  "data of the first version": () => ({ ...read, schemaVersion: 1, data: { text: "1.5" } }),
  "data of an earlier version": () => ({ ...read, schemaVersion: 2, data: { celsius: 1.5 } }),
  "data of the current version": () => ({ ...read, schemaVersion: 3, data: { celsius: 1.5, place: "roof" } }),
  "the first version of a type that has no other": () => ({ ...base, schemaVersion: 1 }),
  "the largest whole number": () => ({
    ...base,
    data: { content: "x", n: [9007199254740991, -9007199254740991] },
  }),
  "numbers at the edges of a double": () => ({
    ...base,
    data: { content: "x", n: [5e-324, 1.7976931348623157e-300, 0.1 + 0.2, 0, -0.5, 1e-7] },
  }),
  "nulls, empty names and empty containers": () => ({
    ...base,
    data: { content: "x", "": null, a: [], o: {} },
  }),
  "text in many scripts": () => ({ ...base, data: { content: "Ünï 日本 😀 \u{10ffff}" } }),
};

const bad: Record<string, () => EventInput> = {
  "data of a later version than the one that is named": () => ({
    ...read,
    schemaVersion: 2,
    data: { celsius: 1.5, place: "roof" },
  }),
  "data of an earlier version than the one that is named": () => ({
    ...read,
    schemaVersion: 3,
    data: { text: "1.5" },
  }),
  "a version that the type doesn't have yet": () => ({ ...read, schemaVersion: 4, data: { text: "1.5" } }),
  "a second version of a type that has one": () => ({ ...base, schemaVersion: 2 }),
  "a version of an unknown type": () => ({ ...base, type: "probe.unmade", schemaVersion: 2 }),
  "version 0": () => ({ ...read, schemaVersion: 0, data: { text: "1.5" } }),
  "a version that is too high": () => ({ ...read, schemaVersion: 1001, data: { text: "1.5" } }),
  "an unknown type": () => ({ ...base, type: "probe.unmade" }),
  "another aggregate type than the type's": () => ({ ...base, aggregateType: "note" }),
  "an aggregate id that is a step in a path": () => ({ ...base, aggregateId: "." }),
  "an aggregate id that is a step up in a path": () => ({ ...base, aggregateId: ".." }),
  "an empty aggregate id": () => ({ ...base, aggregateId: "" }),
  "an aggregate id that is too long": () => ({ ...base, aggregateId: "a".repeat(129) }),
  "a user id that is too long": () => ({ ...base, userId: "😀".repeat(129), createdBy: "system" }),
  "a creator whose name is too long in UTF-16": () => ({ ...base, createdBy: `user:${"😀".repeat(65)}` }),
  "an empty user id": () => ({ ...base, userId: "", createdBy: "system" }),
  "a creator without a kind": () => ({ ...base, createdBy: "bob" }),
  "a creator of an unknown kind": () => ({ ...base, createdBy: "robot:r2" }),
  "a creator without a name": () => ({ ...base, createdBy: "user:" }),
  "a creator with a long name": () => ({ ...base, createdBy: `user:${"u".repeat(129)}` }),
  "the system with a suffix": () => ({ ...base, createdBy: "system\n" }),
  "an empty source": () => ({ ...base, source: "" }),
  "a source that is too long": () => ({ ...base, source: "s".repeat(65) }),
  "a request id that is too long": () => ({ ...base, requestId: "r".repeat(129) }),
  "an empty correlation id": () => ({ ...base, correlationId: "" }),
  "an idempotency key that is too long": () => ({ ...base, idempotencyKey: "k".repeat(256) }),
  "an id of no version": () => ({ ...base, id: "00000000-0000-0000-0000-000000000001", aggregateId: "p" }),
  "an id of no variant": () => ({ ...base, id: "0190f3a2-7b1e-7c3d-ca4f-5b6c7d8e9f01", aggregateId: "p" }),
  "a causation id of no version": () => ({ ...base, causationId: "0190f3a2-7b1e-0c3d-8a4f-5b6c7d8e9f01" }),
  "more than a week ago": () => ({ ...base, timestamp: inMs(-7 * DAY - 60_000) }),
  "more than five minutes ahead": () => ({ ...base, timestamp: inMs(6 * 60_000) }),
  "a time in microseconds": () => ({ ...base, timestamp: inMs(0).replace(/Z$/, "001Z") }),
  "a validity that ends before it begins": () => ({
    ...base,
    validFrom: "2026-01-02T00:00:00.000Z",
    validTo: "2026-01-02T00:00:00.000Z",
  }),
  "a validity before 1970": () => ({ ...base, validFrom: "1969-12-31T23:59:59.999Z" }),
  "nesting that is too deep": () => ({ ...base, data: nested(33) }),
  "too many values": () => ({ ...base, data: wide(50_001) }),
  "numbers that become too much text": () => ({
    ...base,
    data: { content: "x", n: Array.from({ length: 13_000 }, () => 5e-324) },
  }),
  "metadata that is too deep": () => ({ ...base, metadata: nested(33) }),
  "a whole number that loses digits": () => ({ ...base, data: { content: "x", n: { big: [2 ** 53] } } }),
  "a field named __proto__": () => ({ ...base, data: JSON.parse('{"content":"x","o":{"__proto__":1}}') }),
  "a field named toJSON": () => ({ ...base, data: { content: "x", o: { toJSON: 1, a: 2 } } }),
  "a correction of no id": () => ({ ...base, metadata: { corrects: 7 } }),
  "a retraction of an id in upper case": () => ({
    ...base,
    metadata: { retracts: "0190F3A2-7B1E-7C3D-8A4F-5B6C7D8E9F01" },
  }),
  "a correction that retracts": () => ({
    ...base,
    metadata: {
      corrects: "0190f3a2-7b1e-7c3d-8a4f-5b6c7d8e9f01",
      retracts: "0190f3a2-7b1e-7c3d-8a4f-5b6c7d8e9f01",
    },
  }),
  "a correction of an event that is not stored": () => ({
    ...base,
    metadata: { corrects: "0190f3a2-7b1e-7c3d-8a4f-5b6c7d8e9fff" },
  }),
  "a large number under an odd name": () => ({ ...base, data: { content: "x", 'a "b"': 1e300 } }),
};

/** The issues in a refusal's detail. */
function issuesOf(error: unknown): EventIssue[] {
  const { detail } = z.object({ detail: z.string() }).parse(error);
  return z
    .array(z.object({ path: z.string(), code: z.string(), reason: z.string() }))
    .parse(JSON.parse(detail));
}

describeOnEveryEngine("the TypeScript API and the SQL API", (engine) => {
  let store: EventStore;
  const catalogue = seedCatalogue.extend([probe, versioned]);

  beforeAll(async () => {
    store = createEventStore({ database: engine.database, catalogue });
    await syncEventTypes(engine.database, catalogue);
  });

  async function throughTypeScript(input: EventInput): Promise<string[]> {
    const outcome = await store.append(catalogue.completeEvent(input));
    return outcome.status === "rejected"
      ? outcome.issues.map(({ path, code }) => `${path}: ${code}`).sort()
      : [outcome.status];
  }

  async function throughSql(input: EventInput): Promise<string[]> {
    try {
      return [(await postEvent(engine.database, input)).duplicate ? "duplicate" : "stored"];
    } catch (error) {
      if (sqlState(error) !== "SY010") throw error;
      return issuesOf(error)
        .map(({ path, code }) => `${path}: ${code}`)
        .sort();
    }
  }

  describe("accept", () => {
    it.each(Object.entries(sound))("%s", async (_name, make) => {
      const input = make();
      expect(await throughTypeScript(input)).toEqual(["stored"]);
      // Repeated through the other API, it is a duplicate if it has an id or a key.
      const again = input.id === undefined && input.idempotencyKey === undefined ? "stored" : "duplicate";
      expect(await throughSql(input)).toEqual([again]);
    });
  });

  describe("refuse, with the same paths and codes,", () => {
    it.each(Object.entries(bad))("%s", async (_name, make) => {
      const input = make();
      const refused = await throughTypeScript(input);
      expect(refused).not.toEqual(["stored"]);
      expect(await throughSql(input)).toEqual(refused);
    });
  });

  it("write the same event", async () => {
    const input: EventInput = {
      ...base,
      aggregateId: "same",
      data: { content: "x", list: [1.5, null, { a: "ä" }] },
      userId: "u1",
      timestamp: inMs(0),
      source: "test",
      metadata: { trace: "t" },
    };
    await store.append(catalogue.completeEvent(input));
    await postEvent(engine.database, input);
    const { events } = await store.query(
      { aggregateType: "probe", aggregateId: "same" },
      { limit: 2, order: "asc" },
    );
    const [first, second] = events.map(({ id, position, streamVersion, recordedAt, ...event }) => event);
    expect(second).toEqual(first);
    expect(events.map((event) => event.streamVersion)).toEqual([1, 2]);
  });

  it("judge corrections by the event that they name alike", async () => {
    const first = catalogue.completeEvent({ ...base, aggregateId: "amended" });
    await store.append(first);
    const correction = { ...base, aggregateId: "amended", metadata: { corrects: first.id } };
    const both = async (input: EventInput) => {
      const refused = await throughTypeScript(input);
      expect(await throughSql(input)).toEqual(refused);
      return refused;
    };
    expect(await both({ ...correction, aggregateId: "another" })).toEqual([
      "metadata.corrects: amended-event-other",
    ]);
    expect(await throughSql(correction)).toEqual(["stored"]);
    const id = "0190f3a2-7b1e-7c3d-8a4f-5b6c7d8e9f0a";
    expect(await throughTypeScript({ ...correction, id })).toEqual(["stored"]);
    expect(await throughSql({ ...correction, id })).toEqual(["duplicate"]);
    expect(await both({ ...correction, metadata: { retracts: id } })).toEqual([
      "metadata.retracts: amends-amendment",
    ]);
  });

  describe("check the data of the seeded types alike:", () => {
    it.each(seedCatalogue.types.map((type) => [type.name, type] as const))(
      "%s",
      async (type, { example }) => {
        expect(await throughSql({ type, data: example })).toEqual(["stored"]);
        const broken = Object.keys(example).flatMap((field): JsonObject[] => [
          { ...example, [field]: null },
          { ...example, [field]: "" },
          { ...example, [field]: [{}] },
          Object.fromEntries(Object.entries(example).filter(([name]) => name !== field)),
        ]);
        for (const data of [...broken, { ...example, misspelt: 1 }]) {
          expect({ data, refused: await throughSql({ type, data }) }).toEqual({
            data,
            refused: await throughTypeScript({ type, data }),
          });
        }
      },
    );
  });

  it.each([
    "2026-02-28T09:00:00Z",
    "2026-02-28t09:00:00.1230z",
    "1970-01-01T00:30:00+00:30",
    "1970-01-01T00:30:00+00:31",
    "9999-12-31T23:59:59.999Z",
    "9999-12-31T23:59:59-00:01",
    "2026-02-29T09:00:00Z",
    "2024-02-29T09:00:00.1234Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T09:00:60Z",
    "2026-01-01T09:00:00+24:00",
    "0001-01-01T09:00:00Z",
    "0000-01-01T09:00:00Z",
    "2026-01-01T09:00Z",
    `2026-01-01T09:00:00.${"0".repeat(60)}Z`,
    "２026-01-01T09:00:00Z",
  ])("read the time %s alike", async (fulfilledAt) => {
    const event = { type: "order.fulfilled", data: { fulfilledAt } };
    expect(await throughSql(event)).toEqual(await throughTypeScript(event));
  });

  describe("have the same limit of size", () => {
    // Characters of one to four bytes, escapes, and a number that is written out in full.
    const filling = 'a"\\\n\u0001\u007fä\u2028日😀';
    const sized = (excess: number): EventInput => {
      const event = {
        ...base,
        id: randomUUID(),
        aggregateId: "sized",
        timestamp: inMs(0),
        createdBy: "system",
        source: "t",
      };
      const data = { content: "", number: 5e-324 };
      const room = (content: string) =>
        MAX_EVENT_BYTES -
        Buffer.byteLength(JSON.stringify(catalogue.completeEvent({ ...event, data: { ...data, content } }))) -
        320;
      const content = filling.repeat(Math.floor(room("") / 40));
      return { ...event, data: { ...data, content: content + "x".repeat(room(content) + excess) } };
    };

    it("to the byte", async () => {
      expect(await throughTypeScript(sized(0))).toEqual(["stored"]);
      expect(await throughSql(sized(0))).toEqual(["stored"]);
      expect(await throughTypeScript(sized(1))).toEqual([": event-too-large"]);
      expect(await throughSql(sized(1))).toEqual([": event-too-large"]);
    });
  });
});
