import { randomUUID } from "node:crypto";
import { seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createTestDatabase, serverUrl, type TestDatabase } from "../../testing/index.ts";
import { directly, throughPooler, type WayToReplica } from "../../testing/replica-url.ts";
import { noteEvent, noteEvents } from "../../testing/test-events.ts";
import type { EventStore } from "../event-store.ts";
import { createEventStore } from "../internal.ts";
import { createReplicaReads, type EventReads } from "./event-reads.ts";
import { openReplica, type Replica, type ReplicaOptions } from "./open-replica.ts";
import type { ReadPoint } from "./read-point.ts";

const logger = { info: () => {}, warn: () => {}, error: () => {} };
/** A machine may be slow, so only a test that is about a limit has a short one. */
const patient = { maxLag: 120_000, maxSilence: 60_000 };

function describeReplica({ name, isThere, url: replicaUrl }: WayToReplica): void {
  describe.runIf(isThere)(name, () => {
    let test: TestDatabase;
    let store: EventStore;
    let replica: Replica;
    let reads: EventReads;
    const opened: Replica[] = [];
    const open = async (options: Partial<ReplicaOptions> = {}) => {
      const made = await openReplica(test.database, {
        url: replicaUrl(test),
        logger,
        ...patient,
        ...options,
      });
      opened.push(made);
      return made;
    };

    beforeAll(async () => {
      test = await createTestDatabase("server");
      store = createEventStore({ database: test.database, catalogue: seedCatalogue });
      replica = await open({ maxWait: 30_000 });
      reads = createReplicaReads(test.database, store, replica);
      await vi.waitFor(() => expect(replica.state().inUse).toBe(true), 60_000);
    });
    afterAll(async () => {
      await Promise.all(opened.map((each) => each.close()));
      await test.drop();
    });

    /** Stores an event, and gives its position as a point. */
    async function stored(): Promise<{ id: string; point: ReadPoint }> {
      const outcome = await store.append(noteEvent());
      if (outcome.status !== "stored") throw new Error(outcome.status);
      return { id: outcome.id, point: { position: outcome.position } };
    }

    it("serves a read once it has everything up to the reader's point, and raises the point to what was seen", async () => {
      const { id, point } = await stored();
      const before = replica.state();
      const { events } = await reads.query({}, { limit: 10, order: "desc", point });
      expect(events.map((event) => event.id)).toContain(id);
      const later = await stored();
      await reads.getById(later.id, { point: later.point });
      await reads.getById(id, { point });
      expect(point.position).toBeGreaterThanOrEqual(later.point.position);
      expect(replica.state()).toMatchObject({ served: before.served + 3, passedOn: before.passedOn });
    });

    it("leaves what it does not have to the primary: an unknown event, stream or version", async () => {
      const before = replica.state().passedOn.absent;
      const { aggregateId } = noteEvent();
      const stream = { aggregateType: "note", aggregateId };
      expect(await reads.getById("00000000-0000-7000-8000-000000000000")).toBeUndefined();
      expect(await reads.getStream(stream)).toBeUndefined();
      expect(await reads.readStreamPage(stream)).toEqual({ events: [] });
      const point = { position: 0 };
      const [outcome] = await store.appendBatch(noteEvents(3, () => ({ aggregateId })));
      if (outcome?.status === "stored") point.position = outcome.position;
      expect((await reads.readStreamPage(stream, { point })).events).toHaveLength(3);
      expect(replica.state().passedOn.absent).toBe(before + 3);
      expect((await reads.readStreamPage(stream, { point, toVersion: 4 })).events).toHaveLength(3);
      expect((await reads.readStreamPage(stream, { point, fromVersion: 4 })).events).toEqual([]);
      expect(replica.state().passedOn.absent).toBe(before + 5);
    });

    it("leaves a point to the primary that an unfinished append keeps out of reach, after a bounded wait", async () => {
      const hasty = await open({ maxWait: 50 });
      const impatient = createReplicaReads(test.database, store, hasty);
      await vi.waitFor(() => expect(hasty.state().inUse).toBe(true), 60_000);
      await test.database.transaction(async (transaction) => {
        await store.append(noteEvent(), { transaction });
        const { id, point } = await stored();
        const { events } = await impatient.query({}, { limit: 10, order: "desc", point });
        expect(events.map((event) => event.id)).toContain(id);
        expect(hasty.state()).toMatchObject({ inUse: true, served: 0, passedOn: { behind: 1 } });
      });
    });

    it("leaves only the read to the primary that asks for a position which nothing has", async () => {
      const hasty = await open({ maxWait: 50 });
      const impatient = createReplicaReads(test.database, store, hasty);
      await vi.waitFor(() => expect(hasty.state().inUse).toBe(true), 60_000);
      const { id, point } = await stored();
      const written = point.position;
      expect(await impatient.getById(id, { point, minPosition: 2 ** 50 })).toMatchObject({ id });
      expect(hasty.state().passedOn).toMatchObject({ behind: 1 });
      expect(point.position).toBeGreaterThanOrEqual(written);
      expect(point.position).toBeLessThan(2 ** 50);
      await vi.waitFor(async () => {
        const { served } = hasty.state();
        expect(await impatient.getById(id, { point })).toMatchObject({ id });
        expect(hasty.state().served).toBe(served + 1);
      }, 60_000);
    });

    it("leaves a read to the primary that waits for a connection, and stays in use", async () => {
      const busy = await open({ maxConnections: 1, maxSilence: 5_000 });
      await vi.waitFor(() => expect(busy.state().inUse).toBe(true), 60_000);
      let end = () => {};
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      let begin = () => {};
      const begun = new Promise<void>((resolve) => {
        begin = resolve;
      });
      const long = busy.read({}, async () => {
        begin();
        await ended;
        return { answer: "long" };
      });
      await begun;
      expect(await busy.read({}, async () => ({ answer: "short" }))).toBeUndefined();
      expect(busy.state()).toMatchObject({ inUse: true, passedOn: { busy: 1 } });
      end();
      expect(await long).toEqual({ answer: "long" });
    });

    it("refuses what the primary would refuse, without asking it", async () => {
      const before = replica.state().passedOn;
      await expect(reads.query({}, { limit: 0, order: "asc" })).rejects.toThrow(RangeError);
      await expect(reads.query({}, { limit: 1, order: "asc", cursor: "x" })).rejects.toMatchObject({
        code: "INVALID_CURSOR",
      });
      await expect(
        reads.readStreamPage({ aggregateType: "note", aggregateId: "1" }, { pageSize: 0 }),
      ).rejects.toThrow(RangeError);
      expect(replica.state().passedOn).toEqual(before);
    });

    it("calls listeners after each append, which it has then or soon after", async () => {
      const aggregateId = randomUUID();
      const count = async () => {
        const counted = await replica.read({}, async (session) => ({
          answer: (await session.query("SELECT FROM synap.events WHERE aggregate_id = $1", [aggregateId]))
            .length,
        }));
        return counted?.answer;
      };
      for (let round = 1; round <= 20; round += 1) {
        let call = () => {};
        const called = new Promise<void>((resolve) => {
          call = resolve;
        });
        const stop = await replica.listen(call);
        await store.append(noteEvent({ aggregateId }));
        await called;
        // Without replay in time the call comes all the same, and the replica has it later.
        await vi.waitFor(async () => expect(await count()).toBe(round), 60_000);
        await stop();
      }
    });

    it("can't be written to", async () => {
      const attempt = replica.read({}, async (session) => ({
        answer: await session.query("SELECT synap.advance_read_horizon()"),
      }));
      expect(await attempt).toBeUndefined();
    });

    it("of another database is refused by name", async () => {
      const other = await createTestDatabase("server");
      try {
        await vi.waitFor(
          () =>
            expect(open({ url: replicaUrl(other) })).rejects.toMatchObject({
              code: "DATABASE_REPLICA_URL_INVALID",
            }),
          { timeout: 60_000, interval: 500 },
        );
      } finally {
        await other.drop();
      }
    });

    it.each([
      ["is the primary itself", () => serverUrl(test), /no standby/],
      ["can't be reached", () => "postgres://postgres@127.0.0.1:1/postgres", /can't be reached/],
      ["has no such database", () => directly.url(test).replace(/\/[^/]*$/, "/none"), /no database "none"/],
    ])("that %s is not used, and says why", async (_name, url, reason) => {
      const warnings: string[] = [];
      const unused = await open({
        url: url(),
        logger: { ...logger, warn: (_fields, message) => void warnings.push(message) },
      });
      expect(unused.state()).toMatchObject({ inUse: false, reason: expect.stringMatching(reason) });
      expect(warnings).toEqual([expect.stringMatching(reason)]);
      const { id, point } = await stored();
      expect(await createReplicaReads(test.database, store, unused).getById(id, { point })).toMatchObject({
        id,
      });
      expect(unused.state()).toMatchObject({ served: 0, passedOn: { unused: 1 } });
    });
  });
}

describeReplica(directly);
describeReplica(throughPooler);
