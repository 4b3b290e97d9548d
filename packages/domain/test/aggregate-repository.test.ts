import { randomUUID } from "node:crypto";
import { type Database, type EventStore, OptimisticLockError } from "@synap/database";
import { createTestStore, testEngines } from "@synap/database/testing";
import { AggregateConflictError, CommandRefusedError, createAggregateRepository } from "@synap/handlers";
import { correctionOf, type EventInput, type StoredEvent, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reservationDecider } from "../src/reservations/reservation-decider.ts";

const create = { type: "create", data: { guestId: "g1", startDate: "2026-06-01" } } as const;
const cancel = { type: "cancel", data: { reason: "ill" } } as const;
const moveTo = (startDate: string) => ({ type: "reschedule", data: { startDate } }) as const;
const day = (place: number) => new Date(Date.UTC(2026, 5, 2) + place * 86_400_000).toISOString().slice(0, 10);

describe.each(["memory", ...testEngines()] as const)("a repository of aggregates (%s)", (kind) => {
  let store: EventStore;
  let database: Database | undefined;
  let drop = async () => {};

  beforeAll(async () => {
    ({ store, database, drop } = await createTestStore(kind));
  });
  afterAll(() => drop());

  const repository = (over: Partial<EventStore> = {}, attempts?: number) =>
    createAggregateRepository({
      store: { ...store, ...over },
      decider: reservationDecider,
      attempts,
      pause: async () => {},
    });

  it("has an aggregate before anything has happened to it", async () => {
    expect(await repository().load(randomUUID())).toEqual({ state: { status: "PENDING" }, version: 0 });
  });

  it("executes commands and returns their results", async () => {
    const id = randomUUID();
    const reservations = repository();
    const made = await reservations.execute(id, create, { userId: "u1", correlationId: "c1" });
    expect(made).toMatchObject({ state: { status: "CONFIRMED" }, version: 1, repeated: false });
    const off = await reservations.execute(id, cancel);
    expect(off).toMatchObject({ state: { status: "CANCELLED", reason: "ill" }, version: 2 });
    expect(await reservations.load(id)).toEqual({ state: off.state, version: 2, eventId: off.eventId });
    expect(await store.getById(made.eventId ?? "")).toMatchObject({
      userId: "u1",
      createdBy: "user:u1",
      correlationId: "c1",
      id: made.eventId,
    });
  });

  it("stores nothing when nothing is to change, or a rule forbids it", async () => {
    const id = randomUUID();
    const reservations = repository();
    await expect(reservations.execute(id, cancel)).rejects.toMatchObject({
      code: "COMMAND_REFUSED",
      rule: "not-created",
    });
    await reservations.execute(id, create);
    expect(await reservations.execute(id, moveTo("2026-06-01"))).toMatchObject({ version: 1, events: [] });
    await expect(reservations.execute(id, create)).rejects.toBeInstanceOf(CommandRefusedError);
    expect((await reservations.load(id)).version).toBe(1);
  });

  it("decides anew when somebody was faster", async () => {
    const id = randomUUID();
    const reservations = repository();
    await reservations.execute(id, create);
    let others = 2;
    const contended = repository({
      appendToStream: async (...append) => {
        others -= 1;
        if (others >= 0) await reservations.execute(id, moveTo(day(others)));
        return store.appendToStream(...append);
      },
    });
    expect(await contended.execute(id, cancel)).toMatchObject({ version: 4, state: { status: "CANCELLED" } });
  });

  it("gives up when others are faster each time, and reports the number of attempts", async () => {
    const id = randomUUID();
    const reservations = repository();
    await reservations.execute(id, create);
    let place = 0;
    const unlucky = repository(
      {
        appendToStream: async (...append) => {
          place += 1;
          await reservations.execute(id, moveTo(day(place)));
          return store.appendToStream(...append);
        },
      },
      3,
    );
    const failure = await unlucky.execute(id, cancel).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AggregateConflictError);
    expect(failure).toMatchObject({
      code: "AGGREGATE_CONFLICT",
      attempts: 3,
      cause: expect.any(OptimisticLockError),
    });
  });

  it("holds every rule when many command at once", async () => {
    const id = randomUUID();
    const reservations = createAggregateRepository({ store, decider: reservationDecider, attempts: 50 });
    const results = await Promise.allSettled([
      ...Array.from({ length: 5 }, () => reservations.execute(id, create)),
      ...Array.from({ length: 5 }, () => reservations.execute(id, cancel)),
    ]);
    const done = results.filter((result) => result.status === "fulfilled").length;
    const types: string[] = [];
    for await (const event of store.readStream({ aggregateType: "reservation", aggregateId: id }))
      types.push(event.type);
    expect(types).toEqual(["reservation.created", "reservation.cancelled"].slice(0, done));
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toBeInstanceOf(CommandRefusedError);
    }
  });

  it("does not try again for who expects a version", async () => {
    const id = randomUUID();
    const reservations = repository();
    await reservations.execute(id, create, { expectedVersion: 0 });
    await expect(reservations.execute(id, cancel, { expectedVersion: 0 })).rejects.toMatchObject({
      code: "OPTIMISTIC_LOCK",
      expected: 0,
      actual: 1,
    });
    expect(await reservations.execute(id, cancel, { expectedVersion: 1 })).toMatchObject({ version: 2 });
  });

  it("carries out a command with a key once, and answers alike each time", async () => {
    const id = randomUUID();
    const reservations = repository();
    const made = await reservations.execute(id, create, { commandKey: "make" });
    await reservations.execute(id, cancel);
    const again = await reservations.execute(id, create, { commandKey: "make" });
    expect(again).toMatchObject({ state: made.state, version: 1, eventId: made.eventId, repeated: true });
    expect(again.events).toMatchObject([{ id: made.eventId, streamVersion: 1, duplicate: true }]);
    // The key belongs to the command and the aggregate.
    await expect(reservations.execute(id, cancel, { commandKey: "make" })).rejects.toMatchObject({
      rule: "already-cancelled",
    });
    expect(await reservations.execute(randomUUID(), create, { commandKey: "make" })).toMatchObject({
      version: 1,
    });
  });

  it("refuses other data under a key, which it knows by a hash in the metadata", async () => {
    const id = randomUUID();
    const reservations = repository();
    await reservations.execute(id, create, { commandKey: "make", metadata: { ip: "::1" } });
    const other = { ...create, data: { ...create.data, guestId: "somebody else" } };
    await expect(reservations.execute(id, other, { commandKey: "make" })).rejects.toMatchObject({
      code: "COMMAND_KEY_REUSED",
      stream: { aggregateType: "reservation", aggregateId: id },
    });
    const fingerprint = expect.stringMatching(/^[\w-]{22}$/);
    for await (const { metadata } of store.readStream({ aggregateType: "reservation", aggregateId: id }))
      expect(metadata).toEqual({ ip: "::1", commandFingerprint: fingerprint });
  });

  it("carries out a command that is sent several times at once a single time", async () => {
    const id = randomUUID();
    const results = await Promise.all(
      Array.from({ length: 5 }, () => repository().execute(id, create, { commandKey: "once" })),
    );
    expect(new Set(results.map((result) => result.eventId)).size).toBe(1);
    expect((await repository().load(id)).version).toBe(1);
  });

  it("shows an aggregate as it was, at a version and at a moment", async () => {
    const id = randomUUID();
    const reservations = repository();
    const happen = (expected: number, type: string, data: object, timestamp: string) =>
      store.appendToStream(
        { aggregateType: "reservation", aggregateId: id },
        expected,
        [{ type, data: { ...data }, timestamp }],
        { timestamps: "backfill" },
      );
    await happen(
      0,
      "reservation.created",
      { guestId: "g1", startDate: "2026-06-01" },
      "2026-01-01T00:00:00.000Z",
    );
    await happen(
      1,
      "reservation.rescheduled",
      { oldStartDate: "2026-06-01", newStartDate: "2026-06-08" },
      "2026-02-01T00:00:00.000Z",
    );
    await happen(2, "reservation.cancelled", { reason: "ill" }, "2026-03-01T00:00:00.000Z");

    const states = [0, 1, 2, 3, 4].map((version) => reservations.load(id, { version }));
    expect((await Promise.all(states)).map(({ state, version }) => [version, state.status])).toEqual([
      [0, "PENDING"],
      [1, "CONFIRMED"],
      [2, "CONFIRMED"],
      [3, "CANCELLED"],
      [3, "CANCELLED"],
    ]);
    const at = async (moment: string) => reservations.load(id, { at: new Date(moment) });
    expect(await at("2025-12-31T23:59:59.999Z")).toMatchObject({ version: 0, state: { status: "PENDING" } });
    expect(await at("2026-01-01T00:00:00.000Z")).toMatchObject({
      version: 1,
      state: { startDate: "2026-06-01" },
    });
    expect(await at("2026-02-28T00:00:00.000Z")).toMatchObject({
      version: 2,
      state: { startDate: "2026-06-08" },
    });
    expect(await at("2026-03-01T00:00:00.000Z")).toMatchObject({
      version: 3,
      state: { status: "CANCELLED" },
    });
  });

  it("has events that begin to hold at one moment in the order of positions, a correction in the place of its original", async () => {
    const stream = { aggregateType: "reservation", aggregateId: randomUUID() };
    const validAt = new Date(Date.now() - 86_400_000);
    const add = async (event: EventInput): Promise<StoredEvent> => {
      const complete = seedCatalogue.completeEvent({ validFrom: validAt.toISOString(), ...event, ...stream });
      await store.append(complete);
      const stored = await store.getById(complete.id);
      if (stored === undefined) throw new Error("It was not stored.");
      return stored;
    };
    const moved = (newStartDate: string) => ({ oldStartDate: create.data.startDate, newStartDate });
    const type = "reservation.rescheduled";
    const load = async () => (await repository().load(stream.aggregateId, { validAt })).state;
    await add({ type: "reservation.created", data: create.data });
    const first = await add({ type, data: moved(day(1)) });
    await add({ type, data: moved(day(2)) });
    expect(await load()).toMatchObject({ startDate: day(2) });
    await add(correctionOf(first, { data: moved(day(3)) }));
    expect(await load()).toMatchObject({ startDate: day(2) });
    await add({ type, data: moved(day(4)), validFrom: new Date(validAt.valueOf() - 1).toISOString() });
    expect(await load()).toMatchObject({ startDate: day(2) });
  });

  it("refuses a moment that is none, and a version that is none", async () => {
    const id = randomUUID();
    await repository().execute(id, create);
    for (const at of [new Date(Number.NaN), new Date("9999-12-31T23:59:59.999Z").valueOf() + 1].map(
      (value) => new Date(value),
    )) {
      await expect(repository().load(id, { at })).rejects.toMatchObject({
        code: "MOMENT_INVALID",
        parameter: "at",
      });
    }
    for (const past of ["at", "knownAt"] as const) {
      const load = (aheadMs: number) => repository().load(id, { [past]: new Date(Date.now() + aheadMs) });
      await expect(load(120_000)).rejects.toMatchObject({ code: "MOMENT_IN_FUTURE", parameter: past });
      // A clock that is a little ahead.
      expect(await load(20_000)).toMatchObject({ version: 1 });
    }
    const validAt = new Date("2999-01-01T00:00:00.000Z");
    expect(await repository().load(id, { validAt })).toMatchObject({ version: 1 });
    for (const version of [-1, 0.5, Number.NaN])
      await expect(repository().load(id, { version })).rejects.toThrow(RangeError);
  });

  it.skipIf(kind === "memory")("takes part in the caller's transaction", async () => {
    const id = randomUUID();
    const reservations = repository();
    const attempt = database?.transaction(async (transaction) => {
      await reservations.execute(id, create, { transaction, commandKey: "k" });
      expect(await reservations.execute(id, create, { transaction, commandKey: "k" })).toMatchObject({
        repeated: true,
      });
      expect(await reservations.execute(id, cancel, { transaction })).toMatchObject({ version: 2 });
      throw new Error("not after all");
    });
    await expect(attempt).rejects.toThrow("not after all");
    expect((await reservations.load(id)).version).toBe(0);
  });

  it("passes over events that the decider does not know", async () => {
    const narrow = { ...reservationDecider, events: reservationDecider.events.slice(0, 1) };
    const id = randomUUID();
    await repository().execute(id, create);
    await repository().execute(id, cancel);
    const loaded = await createAggregateRepository({ store, decider: narrow }).load(id);
    expect(loaded).toMatchObject({ version: 2, state: { status: "CONFIRMED" } });
  });
});
