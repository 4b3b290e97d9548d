import { randomUUID } from "node:crypto";
import type { EventStore } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import {
  createAggregateRepository,
  createMemorySnapshotStore,
  createSnapshotStore,
  type Snapshot,
  type SnapshotPolicy,
  type SnapshotStore,
} from "@synap/handlers";
import { checksumOf, deciderFingerprint } from "@synap/handlers/internal";
import { seedCatalogue } from "@synap/types";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { reservationDecider } from "../src/reservations/reservation-decider.ts";

const day = (place: number) => new Date(Date.UTC(2026, 5, 1) + place * 86_400_000).toISOString().slice(0, 10);
const signed = (snapshot: Omit<Snapshot, "checksum">): Snapshot => ({
  ...snapshot,
  checksum: checksumOf(snapshot),
});

describeOnEveryEngine("snapshots", (engine) => {
  let store: EventStore;
  beforeAll(() => {
    store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
  });

  const stores: Record<string, () => SnapshotStore> = {
    "in the database": () => createSnapshotStore(engine.database),
    "in memory": createMemorySnapshotStore,
  };

  async function history(moves: number): Promise<string> {
    const id = randomUUID();
    const plain = createAggregateRepository({ store, decider: reservationDecider });
    await plain.execute(id, { type: "create", data: { guestId: "g", startDate: day(0), endDate: day(2) } });
    for (let place = 1; place <= moves; place += 1) {
      await plain.execute(id, { type: "reschedule", data: { startDate: day(place) } });
    }
    return id;
  }

  /** A repository with snapshots, and how many events it has read. */
  function watched(snapshots: SnapshotPolicy, decider = reservationDecider) {
    let read = 0;
    const counting: Pick<EventStore, "readStream" | "appendToStream" | "findDuplicates"> = {
      appendToStream: store.appendToStream,
      findDuplicates: store.findDuplicates,
      readStream: async function* (...request) {
        for await (const event of store.readStream(...request)) {
          read += 1;
          yield event;
        }
      },
    };
    const repository = createAggregateRepository({ store: counting, decider, snapshots });
    return { repository, eventsRead: () => read };
  }

  describe.each(Object.keys(stores))("%s", (where) => {
    const open = () => (stores[where] ?? createMemorySnapshotStore)();

    it("spare reading what was folded before, and change nothing else", async () => {
      const id = await history(9);
      const plain = await createAggregateRepository({ store, decider: reservationDecider }).load(id);
      const snapshots = open();
      expect(await watched({ store: snapshots, every: 5 }).repository.load(id)).toEqual(plain);
      const second = watched({ store: snapshots, every: 5 });
      expect(await second.repository.load(id)).toEqual(plain);
      // The snapshot's own event is read, to see that it is the same history.
      expect(second.eventsRead()).toBe(1);
    });

    it("are taken every so many events", async () => {
      const id = await history(3);
      const snapshots = open();
      await watched({ store: snapshots, every: 5 }).repository.load(id);
      const stream = { aggregateType: "reservation", aggregateId: id };
      expect(await snapshots.read(stream)).toBeUndefined();
      await watched({ store: snapshots, every: 4 }).repository.load(id);
      expect(await snapshots.read(stream)).toMatchObject({ version: 4 });
    });

    it("give the same at every version, and at every moment", async () => {
      const id = await history(6);
      const plain = createAggregateRepository({ store, decider: reservationDecider });
      const { repository } = watched({ store: open(), every: 2 });
      await repository.load(id, { version: 4 });
      for (let version = 0; version <= 7; version += 1) {
        await repository.load(id);
        expect(await repository.load(id, { version })).toEqual(await plain.load(id, { version }));
      }
      const at = new Date();
      expect(await repository.load(id, { at })).toEqual(await plain.load(id, { at }));
    });

    const spoils: Record<string, (snapshot: Snapshot) => Snapshot> = {
      "a state that was changed": (snapshot) => ({
        ...snapshot,
        state: snapshot.state.replace('"g"', '"x"'),
      }),
      "a state that is no JSON": (snapshot) => signed({ ...snapshot, state: "{" }),
      "a state of another form": (snapshot) => signed({ ...snapshot, state: '{"status":"dreamt"}' }),
      "another version": (snapshot) => ({ ...snapshot, version: snapshot.version - 1 }),
      "a version beyond the stream": (snapshot) => signed({ ...snapshot, version: snapshot.version + 9 }),
      "another history": (snapshot) => signed({ ...snapshot, eventId: randomUUID() }),
      "another reducer": (snapshot) => signed({ ...snapshot, fingerprint: "0".repeat(64) }),
    };

    it.each(Object.keys(spoils))("with %s are not used", async (what) => {
      const id = await history(5);
      const plain = await createAggregateRepository({ store, decider: reservationDecider }).load(id);
      const snapshots = open();
      await watched({ store: snapshots, every: 1 }).repository.load(id);
      const stream = { aggregateType: "reservation", aggregateId: id };
      const good = await snapshots.read(stream);
      if (good === undefined) throw new Error("no snapshot was taken");
      const spoilt = spoils[what]?.(good) ?? good;
      const reading = watched({ store: { ...snapshots, read: async () => spoilt } });
      expect(await reading.repository.load(id)).toEqual(plain);
      expect(reading.eventsRead()).toBeGreaterThanOrEqual(6);
    });
  });

  it("of an aggregate do for commands what they do for reading", async () => {
    const id = await history(4);
    const { repository, eventsRead } = watched({ store: createSnapshotStore(engine.database), every: 1 });
    await repository.load(id);
    const before = eventsRead();
    expect(await repository.execute(id, { type: "cancel", data: { reason: "ill" } })).toMatchObject({
      version: 6,
    });
    expect(eventsRead() - before).toBe(1);
  });

  it("that cannot be read or written cost time only", async () => {
    const id = await history(2);
    const failures: unknown[] = [];
    const broken: SnapshotStore = {
      read: () => Promise.reject(new Error("away")),
      write: () => Promise.reject(new Error("away")),
    };
    const { repository } = watched({ store: broken, every: 1, onFailure: (error) => failures.push(error) });
    expect(await repository.load(id)).toMatchObject({ version: 3 });
    expect(failures).toHaveLength(2);
  });

  it("cost no load when onFailure throws or rejects", async () => {
    const id = await history(2);
    const broken: SnapshotStore = {
      read: () => Promise.reject(new Error("away")),
      write: () => Promise.reject(new Error("away")),
    };
    const thrower = () => {
      throw new Error("of the observer");
    };
    for (const onFailure of [thrower, () => Promise.reject(new Error("of the observer"))]) {
      const { repository } = watched({ store: broken, every: 1, onFailure });
      expect(await repository.load(id)).toMatchObject({ version: 3 });
    }
  });

  it("move forward only, unless other code made them", async () => {
    const snapshots = createSnapshotStore(engine.database);
    const stream = { aggregateType: "reservation", aggregateId: randomUUID() };
    const at = (version: number, fingerprint: string) =>
      signed({ stream, version, fingerprint, eventId: randomUUID(), state: "{}" });
    await snapshots.write(at(5, "a"));
    await snapshots.write(at(3, "a"));
    expect(await snapshots.read(stream)).toMatchObject({ version: 5 });
    await snapshots.write(at(3, "b"));
    expect(await snapshots.read(stream)).toMatchObject({ version: 3, fingerprint: "b" });
  });
});

describe("the fingerprint of a decider", () => {
  const fingerprint = deciderFingerprint(reservationDecider);

  it("is the same each time", () => {
    expect(deciderFingerprint({ ...reservationDecider })).toBe(fingerprint);
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  const changes = {
    "its reducer": { evolve: () => ({ status: "PENDING" }) },
    "its initial state": { initialState: { status: "PENDING", extra: 1 } },
    "the schema of its state": { state: z.strictObject({ status: z.string() }) },
    "the schemas of its events": { events: reservationDecider.events.slice(1) },
    "its revision": { revision: 2 },
  };
  it.each(Object.entries(changes))("changes with %s", (_what, change) => {
    expect(deciderFingerprint({ ...reservationDecider, ...change })).not.toBe(fingerprint);
  });
});
