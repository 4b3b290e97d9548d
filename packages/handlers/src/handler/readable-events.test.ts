import { randomUUID } from "node:crypto";
import { createMemoryEventStore, listDeadLetters } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import {
  createEventCatalogue,
  defineEventType,
  type EventTypeDefinition,
  type StoredEvent,
} from "@synap/types";
import { integer } from "drizzle-orm/pg-core";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { beginNow } from "../../testing/seen-events.ts";
import { createAggregateRepository } from "../aggregates/aggregate-repository.ts";
import { defineDecider } from "../aggregates/define-decider.ts";
import { createMemorySnapshotStore } from "../aggregates/snapshots.ts";
import { EventDispatcher } from "../engine/event-dispatcher.ts";
import { appendAcceptedEvents, INGEST_HANDLER, keepRefusedEvents } from "../ingest/accepted-events.ts";
import { defineProjection } from "../projections/projection.ts";
import { keyText, readTable } from "../projections/read-table.ts";
import { defineHandler, type IEventHandler } from "./event-handler.ts";

const first = z.strictObject({ total: z.number() });
const about = { name: "order.placed", description: "A customer placed an order." } as const;
const orderPlaced = defineEventType({ ...about, schema: first, example: { total: 12.5 } });
const toCents = ({ total }: { total: number }) => ({ cents: Math.round(total * 100) });
const inCents = {
  ...about,
  version: 2,
  schema: z.strictObject({ cents: z.int() }),
  example: { cents: 1 },
} as const;
const orderPlacedInCents = defineEventType({ ...inCents, upcast: { 1: { schema: first, up: toCents } } });
const older = createEventCatalogue([orderPlaced]);
const newer = createEventCatalogue([orderPlacedInCents]);

const order = (total: number, aggregateId: string = randomUUID()) =>
  older.createSynapEvent({ type: "order.placed", aggregateId, data: { total } });
const centsOrder = (cents: number, aggregateId: string = randomUUID()) =>
  newer.createSynapEvent({ type: "order.placed", aggregateId, data: { cents } });

describeOnEveryEngine("an event of an earlier version", (engine) => {
  const dispatch = (
    catalogue: typeof older | typeof newer,
    parts: { handlers?: IEventHandler[]; projections?: [typeof centsProjection] } = {},
  ) => new EventDispatcher({ database: engine.database, catalogue, ...parts });
  /** A handler of this release, and what it was given. */
  function receiving(name: string, type: EventTypeDefinition, mode: "async" | "inline" = "async") {
    const received: StoredEvent[] = [];
    const handler = defineHandler({
      name,
      description: "Keeps what it gets.",
      events: [type],
      mode,
      handle: async (events) => void received.push(...events),
    });
    return { handler, received };
  }
  const dueNow = () => engine.database.query("UPDATE synap.held_streams SET retry_at = now()");
  const rawData = async (id: string) =>
    engine.database.query("SELECT data, schema_version FROM synap.events WHERE id = $1::text::uuid", [id]);

  const cents = readTable("order_cents", {
    id: keyText("id").primaryKey(),
    cents: integer("cents").notNull(),
  });
  const centsProjection = defineProjection({
    name: "order-cents",
    version: 1,
    description: "Adds up the cents of each order.",
    events: [orderPlacedInCents],
    mode: "async",
    table: cents,
    evolve: (row, event) => ({ id: event.aggregateId, cents: (row?.cents ?? 0) + event.data.cents }),
  });

  beforeEach(() =>
    engine.database.asOwner((owner) =>
      owner.execute("TRUNCATE synap.dead_letters, synap.held_streams, synap.parked_events CASCADE"),
    ),
  );

  it("reaches handlers and projections at the current version, and stays as it is in the store", async () => {
    const { handler, received } = receiving("mails-in-cents", orderPlacedInCents);
    const dispatcher = dispatch(newer, { handlers: [handler], projections: [centsProjection] });
    await beginNow(engine.database, handler.name);
    const old = order(12.5);
    await dispatch(older).store.append(old);
    await dispatcher.store.append(centsOrder(300, old.aggregateId));

    await dispatcher.catchUp(handler.name);
    expect(received).toMatchObject([
      { id: old.id, schemaVersion: 2, data: { cents: 1250 } },
      { schemaVersion: 2, data: { cents: 300 } },
    ]);
    await dispatcher.catchUp("order-cents");
    const row = { id: old.aggregateId, cents: 1550 };
    expect(await engine.database.query("SELECT * FROM synap_read.order_cents")).toContainEqual(row);
    const { rows } = await dispatcher.projections.asOf("order-cents", { position: Number.MAX_SAFE_INTEGER });
    expect(rows["order_cents"]).toContainEqual(row);
    expect(await rawData(old.id)).toEqual([{ data: { total: 12.5 }, schema_version: null }]);
    expect(await dispatcher.store.getById(old.id)).toMatchObject(old);
  });

  it("reaches inline handlers at the current version, when a sender of the earlier release still sends it", async () => {
    const { handler, received } = receiving("counts-in-cents", orderPlacedInCents, "inline");
    const { store } = dispatch(newer, { handlers: [handler] });
    const old = order(3);
    expect(await store.append(old)).toMatchObject({ status: "stored" });
    expect(received).toMatchObject([{ id: old.id, schemaVersion: 2, data: { cents: 300 } }]);
    expect(await rawData(old.id)).toEqual([{ data: { total: 3 }, schema_version: null }]);
  });

  it("is alone in a dead letter if its step fails, which a retry with another step resolves", async () => {
    const strict = defineEventType({
      ...inCents,
      upcast: {
        1: {
          schema: first,
          up: ({ total }) => {
            if (total < 0) throw new Error("no refunds");
            return toCents({ total });
          },
        },
      },
    });
    const { handler, received } = receiving("is-strict", strict);
    const catalogue = createEventCatalogue([strict]);
    await beginNow(engine.database, handler.name);
    const events = [order(1), order(-1), order(2)];
    await dispatch(older).store.appendBatch(events);
    const options = { database: engine.database, handlers: [handler], maxAttempts: 1 };
    await new EventDispatcher({ ...options, catalogue }).catchUp(handler.name);
    expect(received.map(({ data }) => data)).toEqual([{ cents: 100 }, { cents: 200 }]);
    const [letter] = await listDeadLetters(engine.database, { handler: handler.name });
    expect(letter).toMatchObject({
      code: "event-upcast-failed",
      reason: expect.stringContaining("its step from version 1 threw: no refunds"),
      event: { id: events[1]?.id, data: { total: -1 } },
    });
    await new EventDispatcher({ ...options, catalogue: newer }).deadLetters.retry(letter?.id ?? 0, {
      by: "user:ops",
    });
    expect(received.at(-1)).toMatchObject({ id: events[1]?.id, data: { cents: -100 } });
  });

  it("waits with its stream where it is newer than the code, and comes once and in order after the update", async () => {
    const old = receiving("is-updated", orderPlaced);
    const updated = receiving("is-updated", orderPlacedInCents);
    await beginNow(engine.database, "is-updated");
    const stream = randomUUID();
    const events = [order(1, stream), centsOrder(200, stream), order(3, stream), order(4)];
    await dispatch(newer).store.appendBatch(events);

    const before = dispatch(older, { handlers: [old.handler] });
    await before.catchUp("is-updated");
    expect(old.received.map(({ id }) => id)).toEqual([events[0]?.id, events[3]?.id]);
    expect(await engine.database.query("SELECT code, reason FROM synap.held_streams")).toEqual([
      {
        code: "event-version-newer",
        reason: `Event ${events[1]?.id} has version 2 of "order.placed", but this process knows it up to version 1: update it.`,
      },
    ]);
    // Retried by the old process any number of times, it waits and is no dead letter.
    for (let attempt = 0; attempt < 7; attempt += 1) {
      await dueNow();
      await before.catchUp("is-updated");
    }
    expect(await listDeadLetters(engine.database, {})).toEqual([]);
    expect(old.received).toHaveLength(2);

    await dueNow();
    const after = dispatch(newer, { handlers: [updated.handler] });
    await after.catchUp("is-updated");
    await after.catchUp("is-updated");
    expect(updated.received.map(({ id, data }) => [id, data])).toEqual([
      [events[1]?.id, { cents: 200 }],
      [events[2]?.id, { cents: 300 }],
    ]);
  });

  it("stops a handler that has nothing else to do, without a dead letter", async () => {
    const { handler, received } = receiving("only-newer", orderPlaced);
    await beginNow(engine.database, handler.name);
    await dispatch(newer).store.append(centsOrder(1));
    const passes = dispatch(older, { handlers: [handler] });
    await expect(passes.catchUp(handler.name)).rejects.toMatchObject({
      transient: true,
      failure: { code: "event-version-newer" },
    });
    expect(received).toEqual([]);
  });

  it("is stored by an updated process where an old one has refused it, and by no old one", async () => {
    const accepted = [centsOrder(1), centsOrder(2)];
    const outcomes = await appendAcceptedEvents(engine.database, dispatch(older).store, accepted);
    await keepRefusedEvents(engine.database, accepted, outcomes);
    expect(await listDeadLetters(engine.database, { handler: INGEST_HANDLER })).toMatchObject([
      { code: "schema-version-newer", status: "open" },
      { code: "schema-version-newer", status: "open" },
    ]);
    expect(await dispatch(older).deadLetters.storeNewer()).toBe(0);
    expect(await dispatch(newer).deadLetters.storeNewer()).toBe(2);
    expect(await dispatch(newer).deadLetters.storeNewer()).toBe(0);
    for (const event of accepted)
      expect(await dispatch(older).store.getById(event.id)).toMatchObject({ ...event, streamVersion: 1 });
  });
});

describe("an aggregate with events of an earlier version", () => {
  const orderOf = <Type extends EventTypeDefinition>(type: Type, add: (data: Type["example"]) => number) =>
    defineDecider({
      name: "order",
      description: "An order.",
      events: [type],
      commands: { place: z.strictObject({ amount: z.number() }) },
      state: z.strictObject({ sum: z.number() }),
      initialState: { sum: 0 },
      evolve: (state, event) => ({ sum: state.sum + add(event.data) }),
      decide: () => [],
    });
  const [oldOrder, newOrder] = [
    orderOf(orderPlaced, ({ total }) => total),
    orderOf(orderPlacedInCents, (data) => data.cents),
  ];
  const store = createMemoryEventStore({ catalogue: newer });

  it("is folded from data of the current version, and not from a snapshot of the earlier release", async () => {
    const stream = { aggregateType: "order", aggregateId: randomUUID() };
    await store.appendBatch([order(1, stream.aggregateId), order(2, stream.aggregateId)]);
    const snapshots = { store: createMemorySnapshotStore(), every: 1 };
    const before = createAggregateRepository({ store, decider: oldOrder, snapshots });
    expect(await before.load(stream.aggregateId)).toMatchObject({ state: { sum: 3 }, version: 2 });
    expect(await snapshots.store.read(stream)).toMatchObject({ state: '{"sum":3}' });
    const after = createAggregateRepository({ store, decider: newOrder, snapshots });
    expect(await after.load(stream.aggregateId)).toMatchObject({ state: { sum: 300 }, version: 2 });
    expect(await snapshots.store.read(stream)).toMatchObject({ state: '{"sum":300}' });
  });

  it("is folded again when only a step was changed", async () => {
    const doubled = defineEventType({
      ...inCents,
      upcast: { 1: { schema: first, up: ({ total }) => ({ cents: total * 200 }) } },
    });
    const id = randomUUID();
    await store.append(order(1, id));
    const snapshots = { store: createMemorySnapshotStore(), every: 1 };
    const decider = newOrder;
    expect(await createAggregateRepository({ store, decider, snapshots }).load(id)).toMatchObject({
      state: { sum: 100 },
    });
    const other = { ...decider, events: [doubled] };
    expect(await createAggregateRepository({ store, decider: other, snapshots }).load(id)).toMatchObject({
      state: { sum: 200 },
    });
  });

  it("can't be loaded by a release that doesn't know a version in it", async () => {
    const id = randomUUID();
    await store.appendBatch([order(1, id), centsOrder(200, id)]);
    const repository = createAggregateRepository({ store, decider: oldOrder });
    await expect(repository.load(id)).rejects.toMatchObject({ code: "EVENT_VERSION_NEWER" });
    await expect(repository.execute(id, { type: "place", data: { amount: 1 } })).rejects.toMatchObject({
      code: "EVENT_VERSION_NEWER",
    });
    expect(await repository.load(id, { version: 1 })).toMatchObject({ state: { sum: 1 } });
  });
});
