import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { OptimisticLockError, StreamClosedError } from "@synap/database";
import { recordDeadLetter } from "@synap/database/internal";
import { createTestDatabase, describeOnEveryEngine } from "@synap/database/testing";
import { defineEventType, EventValidationError, retractionOf } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  createSynap,
  defineConfig,
  defineDecider,
  PositionNotReachedError,
  type Synap,
  seededDomain,
} from "../src/index.ts";
import { engineOn } from "../testing/engine-on.ts";
import { application, orderDecider, ordersOf } from "./application.ts";

type Types = NonNullable<typeof application.catalogue.eventTypes>;

describeOnEveryEngine("an application's engine in its own process", (engine) => {
  let synap: Synap<Types>;
  beforeAll(async () => {
    synap = await createSynap(application, { database: engine.database, runHandlers: true });
  });
  afterAll(() => synap.close());
  const next = (filter: object) => synap.subscribe({ from: "start", ...filter }).next();
  const order = (id: string, customer: string) =>
    ({ type: "order.placed", aggregateId: id, data: { customer, total: 12.5 } }) as const;

  it("has the inline projections of a new store in its appends from the start", async () => {
    const [orders] = await synap.projections.status();
    expect(orders).toMatchObject({ name: "orders", builds: [{ role: "live", mode: "inline" }] });
  });

  it("stores a published event once, with the inline projections", async () => {
    const event = { ...order("o1", "c1"), idempotencyKey: "first" };
    const { position, isDuplicate } = await synap.publish(event);
    expect(isDuplicate).toBe(false);
    expect(await synap.publish(event)).toMatchObject({ position, isDuplicate: true });
    expect(await synap.readModel(ordersOf, { customer: "c1" })).toEqual({
      orders: [{ id: "o1", total: 12.5 }],
    });
  });

  it("refuses an event that is not valid", async () => {
    const wrong = { type: "order.placed", data: { customer: "c1" } };
    // A program without types can send anything.
    await expect(synap.publish(Object(wrong))).rejects.toThrow(EventValidationError);
  });

  it("appends at an expected version", async () => {
    const stream = { aggregateType: "order", aggregateId: "o2" };
    const { type, data } = order("o2", "c2");
    await synap.append(stream, [{ type, data }], { expectedVersion: "no-stream" });
    const again = synap.append(stream, [{ type, data }], { expectedVersion: "no-stream" });
    await expect(again).rejects.toThrow(OptimisticLockError);
    const totals: number[] = [];
    for await (const event of synap.readStream(stream)) {
      if (event.type === "order.placed") totals.push(event.data.total);
    }
    expect(totals).toEqual([12.5]);
  });

  it("executes commands", async () => {
    const orders = synap.aggregates(orderDecider);
    const command = { type: "place", data: { customer: "c3", total: 3 } } as const;
    expect((await orders.execute("o3", command)).events).toHaveLength(1);
    expect((await orders.execute("o3", command)).events).toEqual([]);
    expect(await synap.readModel(ordersOf, { customer: "c3" })).toEqual({ orders: [{ id: "o3", total: 3 }] });
  });

  it("runs the handlers, whose reactions a subscription receives", async () => {
    await synap.publish(order("o4", "c4"));
    const invoiced: string[] = [];
    for await (const event of synap.subscribe({ from: "start", type: "invoice.sent" })) {
      invoiced.push(event.data.order);
      if (event.data.order === "o4") break;
    }
    expect(invoiced).toContain("o4");
  });

  it("lists dead letters: events that a handler failed on, and events that the store refused", async () => {
    const { dispatcher } = await engineOn(engine.database, application);
    const failed = { handler: "mailer", code: "failed", reason: "no address", attempts: 1 };
    const { id } = await synap.publish(order("o6", "c6"));
    const event = await dispatcher.store.getById(id);
    await recordDeadLetter(engine.database, { ...failed, event });
    const refused = { handler: "ingest-events", code: "event-invalid", reason: "no data", attempts: 1 };
    await recordDeadLetter(engine.database, { ...refused, event: { no: "event" }, byContent: true });
    const [second, first] = await synap.deadLetters.list();
    expect(second).toMatchObject({ stage: "storing", event: { no: "event" } });
    if (first?.stage !== "handling" || first.event.type !== "order.placed") throw new Error("not an order");
    expect(first.event.data.customer).toBe("c6");
    expect((await synap.deadLetters.page({ limit: 1 })).isCut).toBe(true);
    await synap.deadLetters.skip(first.id, { by: "test", reason: "gone" });
    expect(await synap.deadLetters.list({ status: "skipped" })).toHaveLength(1);
  });

  it("finds events by type, with the data of that type", async () => {
    const customers: string[] = [];
    for await (const { data } of synap.query({ type: "order.placed", order: "asc", pageSize: 1 })) {
      customers.push(data.customer);
    }
    expect(customers.slice(0, 2)).toEqual(["c1", "c2"]);
    const first = await synap.queryPage({ type: ["order.placed"], order: "asc" }, { limit: 1 });
    const { nextCursor: cursor } = first;
    const second = await synap.queryPage({ type: ["order.placed"], order: "asc" }, { limit: 1, cursor });
    expect([first, second].flatMap(({ events }) => events.map(({ data }) => data.customer))).toEqual([
      "c1",
      "c2",
    ]);
  });

  it("reads one event, and a stream's version, until it is closed", async () => {
    const { id, position } = await synap.publish(order("o7", "c7"));
    expect(await synap.getEvent(id)).toMatchObject({ id, position, data: { customer: "c7" } });
    expect(await synap.getEvent("0190a000-0000-7000-8000-000000000000")).toBeUndefined();
    const stream = { aggregateType: "order", aggregateId: "o7" };
    expect(await synap.getStream(stream)).toEqual({ streamVersion: 1 });
    await synap.closeStream(stream, { expectedVersion: 1 });
    expect(await synap.getStream(stream)).toMatchObject({ closedAt: expect.any(String) });
    const { type, data } = order("o7", "c7");
    await expect(synap.append(stream, [{ type, data }])).rejects.toThrow(StreamClosedError);
  });

  it("reports the progress of a subscription, and delivers batches with their positions", async () => {
    const { position } = await synap.publish(order("o8", "c8"));
    const progress: number[] = [];
    const onProgress = (seen: { position: number; caughtUp: boolean }) => void progress.push(seen.position);
    const end = new AbortController();
    const events = synap.subscribe({
      from: position - 1,
      type: "order.placed",
      onProgress,
      signal: end.signal,
    });
    expect((await events.next()).value).toMatchObject({ position });
    const ended = expect(events.next()).rejects.toThrow("enough");
    await expect.poll(() => progress[0]).toBeGreaterThanOrEqual(position);
    end.abort(new Error("enough"));
    await ended;
    const batches = synap.subscribeInBatches({ from: position - 1, stream: { aggregateType: "order" } });
    const { value: batch } = await batches.next();
    expect(batch?.events[0]).toMatchObject({ position });
    expect(batch?.position).toBeGreaterThanOrEqual(position);
    await batches.return();
  });

  it("waits until a projection or a handler has handled an event", async () => {
    const { position } = await synap.publish(order("o9", "c9"));
    await synap.waitFor(position, "orders");
    await synap.waitFor(position, "invoicing");
    await synap.waitFor(position, "spending");
    expect(await synap.projections.handledPosition("spending")).toBeGreaterThanOrEqual(position);
    expect(await synap.projections.handledPosition("orders")).toBe(Number.POSITIVE_INFINITY);
    const given = AbortSignal.abort(new Error("given up"));
    await expect(synap.waitFor(position + 1_000_000, "invoicing", { signal: given })).rejects.toThrow(
      "given up",
    );
    await expect(synap.waitFor(position, Object("invocing").valueOf())).rejects.toThrow(
      'did you mean "invoicing"?',
    );
  });

  it("reads a read model as it was, and refuses a past that is still to come", async () => {
    const { id } = await synap.publish(order("o11", "c11"));
    const { recordedAt: then = "" } = (await synap.getEvent(id)) ?? {};
    // Times are in milliseconds, and the next event needs a later one.
    await expect.poll(() => Date.now()).toBeGreaterThan(Date.parse(then));
    await synap.publish(order("o12", "c11"));
    const read = (asOf?: Date | string) => synap.readModel(ordersOf, { customer: "c11" }, { asOf });
    expect((await read(then)).orders).toEqual([{ id: "o11", total: 12.5 }]);
    expect((await read()).orders).toHaveLength(2);

    const later = new Date(Date.now() + 120_000);
    const orders = synap.aggregates(orderDecider);
    await expect(read(later)).rejects.toMatchObject({ code: "MOMENT_IN_FUTURE", parameter: "asOf" });
    for (const [parameter, refused] of [
      ["knownAt", synap.queryPage({ type: "order.placed", knownAt: later })],
      ["knownAt", orders.load("o11", { knownAt: later })],
      ["at", orders.load("o11", { at: later })],
    ] as const) {
      await expect(refused).rejects.toMatchObject({ code: "MOMENT_IN_FUTURE", parameter });
    }
    const held = await synap.queryPage({ type: "order.placed", aggregateId: "o11", validAt: later });
    expect(held.events).toMatchObject([{ id }]);
  });

  it("reads a read model once it has what was written, or says where it stands", async () => {
    const { position } = await synap.publish(order("o10", "c10"));
    const { orders } = await synap.readModel(ordersOf, { customer: "c10" }, { after: position });
    expect(orders).toMatchObject([{ id: "o10" }]);
    const late = synap.readModel(ordersOf, { customer: "c10" }, { after: position * 1_000, waitSeconds: 0 });
    await expect(late).rejects.toThrow(PositionNotReachedError);
    await expect(late).rejects.toMatchObject({ code: "POSITION_NOT_REACHED", position: position * 1_000 });
    const signal = AbortSignal.abort(new Error("given up"));
    await expect(synap.readModel(ordersOf, { customer: "c10" }, { signal })).rejects.toThrow("given up");
  });

  it("reads a read model as it was known at one moment, about another", async () => {
    const { id } = await synap.publish(order("o13", "c13"));
    const event = await synap.getEvent(id);
    if (event?.type !== "order.placed") throw new Error("It is stored.");
    while (Date.now() <= Date.parse(event.recordedAt)) await setImmediate();
    await synap.publish(retractionOf(event, { reason: "entered twice" }));
    const customer = { customer: "c13" };
    const [knownAt, validAt] = [event.recordedAt, event.timestamp];
    const rows = { orders: [{ id: "o13", total: 12.5 }] };
    expect(await synap.readModel(ordersOf, customer, { knownAt, validAt })).toEqual(rows);
    expect(await synap.readModel(ordersOf, customer, { validAt })).toEqual({ orders: [] });
    expect(await synap.readModel(ordersOf, customer, { asOf: new Date() })).toEqual(rows);
    await expect(synap.readModel(ordersOf, customer, { asOf: knownAt, validAt })).rejects.toThrow(RangeError);
  });

  it("refuses an empty list of types, which would select nothing", async () => {
    await expect(synap.query({ type: [] }).next()).rejects.toThrow(RangeError);
    await expect(synap.subscribe({ type: [] }).next()).rejects.toThrow(RangeError);
  });

  it.each<[what: string, name: string, meant: string, call: (name: never) => Promise<unknown>]>([
    ["query by an event type", "order.plced", "order.placed", (type) => synap.query({ type }).next()],
    ["query by an aggregate type", "ordr", "order", (aggregateType) => synap.query({ aggregateType }).next()],
    ["subscription by an event type", "invoice.snt", "invoice.sent", (type) => next({ type })],
    [
      "subscription by an aggregate type",
      "invoise",
      "invoice",
      (aggregateType) => next({ stream: { aggregateType } }),
    ],
    [
      "subscription by a stream",
      "ordre",
      "order",
      (aggregateType) => next({ stream: { aggregateType, aggregateId: "o1" } }),
    ],
    ["list of dead letters", "invocing", "invoicing", (handler) => synap.deadLetters.list({ handler })],
    ["page of dead letters", "order/1", "orders/1", (handler) => synap.deadLetters.page({ handler })],
    [
      "list of dead letters by an aggregate type",
      "odrer",
      "order",
      (aggregateType) => synap.deadLetters.list({ aggregateType }),
    ],
    [
      "retry of dead letters",
      "ingest-event",
      "ingest-events",
      (handler) => synap.deadLetters.retryAll({ handler }, { by: "test" }),
    ],
    ["pause of a projection", "oders", "orders", (name) => synap.projections.pause(name, { by: "test" })],
    ["comparison of a projection", "oders", "orders", (name) => synap.projections.compare(name)],
    ["rebuild of a projection", "oders", "orders", (name) => synap.projections.rebuild(name, { by: "test" })],
    [
      "projection as of a position",
      "spendng",
      "spending",
      (name) => synap.projections.asOf(name, { position: 1 }),
    ],
  ])("refuses a misspelt name in a %s: %s, meant was %s", async (_what, name, meant, call) => {
    // A program without types can name anything.
    const error: unknown = await call(name as never).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: expect.stringMatching(/^(NAME_UNKNOWN|PROJECTION_NOT_FOUND)$/) });
    expect(String(error)).toContain(`"${name}"`);
    expect(String(error)).toContain(`did you mean "${meant}"`);
  });

  it("refuses a decider whose events the config does not define", () => {
    const other = defineDecider({
      name: "ordre",
      description: "An order, misspelt.",
      events: [
        defineEventType({ name: "ordre.placed", description: "X.", schema: z.strictObject({}), example: {} }),
      ],
      commands: {},
      state: z.strictObject({}),
      initialState: {},
      evolve: () => ({}),
      decide: () => [],
    });
    expect(() => synap.aggregates(Object(other))).toThrow('"ordre.placed" (did you mean "order.placed"?)');
  });

  it("appends in the transaction of the caller, or not at all", async () => {
    const stream = { aggregateType: "order", aggregateId: "o5" };
    const { type, data } = order("o5", "c5");
    const undone = synap.transaction(async (transaction) => {
      await synap.append(stream, [{ type, data }], { expectedVersion: "no-stream", transaction });
      throw new Error("undo");
    });
    await expect(undone).rejects.toThrow("undo");
    expect(await synap.readModel(ordersOf, { customer: "c5" })).toEqual({ orders: [] });
  });
});

describe("createSynap", () => {
  it("leaves a database that the caller opened open", async () => {
    const { database, drop } = await createTestDatabase("embedded");
    await (await createSynap(application, { database })).close();
    expect(await database.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await drop();
  });
});

describeOnEveryEngine("an application that leaves the seeded domain out", (engine) => {
  const tables = "SELECT to_regclass('synap_read.notes') IS NOT NULL AS notes";

  it("has no tables of the seeded domain unless the config includes it", async () => {
    await (await createSynap(application, { database: engine.database })).close();
    expect(await engine.database.query(tables)).toEqual([{ notes: false }]);
    await (
      await createSynap(defineConfig({ modules: [seededDomain] }), { database: engine.database })
    ).close();
    expect(await engine.database.query(tables)).toEqual([{ notes: true }]);
  });
});

describeOnEveryEngine("an application with its own tables", (engine) => {
  const folder = mkdtempSync(join(tmpdir(), "synap-migrations-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("applies them once, after Synap's, in a separate ledger", async () => {
    const tables = `
      CREATE SCHEMA warehouse;
      GRANT USAGE ON SCHEMA warehouse TO synap_app;
      CREATE TABLE warehouse.shelves (id text PRIMARY KEY);
      GRANT SELECT, INSERT ON warehouse.shelves TO synap_app;`;
    writeFileSync(join(folder, "0001_shelves.sql"), tables);
    const config = defineConfig({ migrations: { folder, ledger: "warehouse" } });
    for (let start = 1; start <= 2; start += 1) {
      const synap = await createSynap(config, { database: engine.database });
      await synap.transaction(async (transaction) => {
        await transaction.query("INSERT INTO warehouse.shelves VALUES ($1)", [`s${start}`]);
      });
      await synap.close();
    }
    expect(await engine.database.query("SELECT id FROM warehouse.shelves ORDER BY id")).toHaveLength(2);
  });

  it("is refused when two modules have one ledger", () => {
    const module = { migrations: { folder, ledger: "warehouse" } };
    expect(() => defineConfig({ modules: [module, module] })).toThrow(/the ledger "warehouse" is already at/);
  });
});
