import { createTestDatabase } from "@synap/database/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  createSynap,
  defineConfig,
  defineDecider,
  defineEventType,
  defineHandler,
  StoredDataInvalidError,
  type StoredEvent,
} from "../src/index.ts";

const about = {
  name: "refund.made",
  description: "A customer got money back.",
  example: { cents: 1 },
} as const;
const type = about.name;
/** The release that stored the events. */
const before = defineConfig({
  eventTypes: [defineEventType({ ...about, schema: z.strictObject({ cents: z.number() }) })],
});
/** A release whose schema was made narrower without a version. */
const refundMade = defineEventType({ ...about, schema: z.strictObject({ cents: z.int() }), parse: true });

const seen: number[] = [];
const now = defineConfig({
  eventTypes: [refundMade],
  handlers: [
    defineHandler({
      name: "reader",
      description: "Keeps what it is given.",
      events: [refundMade],
      mode: "async",
      handle: async (events) => void seen.push(...events.map(({ data }) => data.cents)),
    }),
  ],
});

const decider = defineDecider({
  name: "refund",
  description: "The sum of what was given back.",
  events: [refundMade],
  state: z.strictObject({ cents: z.int() }),
  initialState: { cents: 0 },
  commands: { nothing: z.strictObject({}) },
  evolve: (state, event) => ({ cents: state.cents + event.data.cents }),
  decide: () => [],
});

describe("an event of a type with parse that breaks its schema", () => {
  let database: Awaited<ReturnType<typeof createTestDatabase>>;
  let id = "";
  beforeAll(async () => {
    database = await createTestDatabase("embedded");
    const writer = await createSynap(before, { database: database.database, runHandlers: false });
    ({ id } = await writer.publish({ type, aggregateId: "r-1", data: { cents: 1.5 } }));
    await writer.publish({ type, aggregateId: "r-2", data: { cents: 2 } });
    await writer.close();
  });
  afterAll(() => database.drop());

  it("is refused by every read and subscription, and is a dead letter alone", async () => {
    const synap = await createSynap(now, { database: database.database, runHandlers: true });
    try {
      const first = { aggregateType: "refund", aggregateId: "r-1" };
      const drain = async (events: AsyncIterable<StoredEvent>) => {
        for await (const { id } of events) if (id === "") break;
      };
      const fault = {
        code: "STORED_DATA_INVALID",
        eventId: id,
        eventType: type,
        schemaVersion: 1,
        pointer: "/cents",
      };
      for (const read of [
        () => synap.getEvent(id),
        () => synap.queryPage({ type }),
        () => drain(synap.query({ type })),
        () => drain(synap.readStream(first)),
        () => drain(synap.history(first)),
        () => synap.subscribe({ from: "start" }).next(),
        () => synap.aggregates(decider).load("r-1"),
      ]) {
        await expect(read()).rejects.toMatchObject(fault);
        await expect(read()).rejects.toThrow(StoredDataInvalidError);
      }
      await expect
        .poll(() => synap.deadLetters.list({ handler: "reader" }))
        .toMatchObject([{ code: "stored-data-invalid", event: { id, data: { cents: 1.5 } } }]);
      await expect.poll(() => seen).toEqual([2]);
    } finally {
      await synap.close();
    }
  });
});
