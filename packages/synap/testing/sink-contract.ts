/** The contract of sinks, run against each kind of destination. */

import type { Database } from "@synap/database";
import { createTestDatabase } from "@synap/database/testing";
import { type Sink, SinkEpochError, type SinkOptions, SinkPositionError } from "@synap/handlers";
import { EventDispatcher, HandlerPassError } from "@synap/handlers/internal";
import { createSynapEvent, type StoredEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mortalProcess } from "./mortal.ts";

/** An event as a destination has received it. */
export interface Arrived {
  readonly id: string;
  readonly stream: string;
}

/** A destination of a test, empty at first. */
export interface TestDestination {
  /** A sink that writes to it each event of the type `note.creation.completed`, and fails on those that `refuses` names. */
  sink(options: SinkOptions, refuses: (event: StoredEvent) => boolean): Sink;
  /** The events that have arrived, in their order. */
  arrived(): Promise<readonly Arrived[]>;
  close(): Promise<void>;
}

const note = (stream: string): SynapEvent =>
  createSynapEvent({ type: "note.creation.completed", aggregateId: stream, data: { content: "x" } });

/** More steps than a pass of the contract takes. */
const MAX_STEPS = 60;

/** Checks the contract of sinks against a kind of destination, for the events of an embedded store. */
export function describeSink(kind: string, createDestination: () => Promise<TestDestination>): void {
  describe(`a sink to ${kind}`, () => {
    let database: Database;
    let drop: () => Promise<void>;
    beforeAll(async () => {
      const test = await createTestDatabase("embedded");
      [database, drop] = [test.database, () => test.drop()];
    });
    afterAll(() => drop());

    const poison = new Set<string>();
    let made = 0;

    /** A new sink and its destination, which takes the events from now on. */
    async function begin() {
      made += 1;
      const destination = await createDestination();
      const name = `contract-${made}`;
      const batch = 3;
      const filter = { source: name };
      const options = { name, description: "Takes the events of one test.", batch, filter };
      const sink = destination.sink(options, ({ id }) => poison.has(id));
      const processes: EventDispatcher[] = [];
      const dispatcherOn = (place: Database, runs: Sink) => {
        const dispatcher = new EventDispatcher({
          database: place,
          catalogue: seedCatalogue,
          sinks: [runs],
          maxAttempts: 1,
        });
        processes.push(dispatcher);
        return dispatcher;
      };
      const own = dispatcherOn(database, sink);
      return {
        name,
        sink,
        destination,
        own,
        dispatcherOn,
        happened: (...events: readonly SynapEvent[]) =>
          own.store.appendBatch(events.map((event) => ({ ...event, source: name }))),
        deadLetters: () => own.deadLetters.list({ handler: name, status: "open" }),
        close: async () => {
          for (const each of processes) await each.stopSinks();
          await destination.close();
        },
      };
    }

    async function catchUp(dispatcher: EventDispatcher, name: string): Promise<void> {
      for (;;) {
        const pass = await dispatcher.catchUp(name);
        if (pass.status === "busy") throw new Error("Another process runs the sink.");
        if (pass.caughtUp) return;
      }
    }

    const idsOf = (events: readonly { readonly id: string }[]) => events.map(({ id }) => id);
    const ofStream = (arrived: readonly Arrived[], stream: string) =>
      idsOf(arrived.filter((each) => each.stream === stream));

    it("gets every event once and in order, over several batches", async () => {
      const { happened, own, name, destination, close } = await begin();
      const events = [note("a"), note("b"), note("a"), note("c"), note("a"), note("b"), note("d")];
      await happened(...events);
      await catchUp(own, name);
      expect(idsOf(await destination.arrived())).toEqual(idsOf(events));
      await close();
    });

    it("holds back the stream of an event that it refuses, until that is tried again; others go on", async () => {
      const { happened, own, name, destination, deadLetters, close } = await begin();
      const [first, bad, other, behind, later] = [note("a"), note("a"), note("b"), note("a"), note("a")];
      poison.add(bad.id);
      await happened(first, bad, other, behind);
      await catchUp(own, name);
      await happened(later);
      await catchUp(own, name);
      expect((await idsOf(await destination.arrived())).sort()).toEqual(idsOf([first, other]).sort());
      const [deadLetter] = await deadLetters();
      expect(deadLetter).toMatchObject({ eventId: bad.id, parked: 2 });
      // Tried again in vain, it is open again.
      await own.deadLetters.retry(deadLetter?.id ?? 0, { by: "user:ops" });
      await catchUp(own, name);
      expect(await deadLetters()).toMatchObject([{ eventId: bad.id, parked: 2 }]);
      poison.delete(bad.id);
      await own.deadLetters.retry(deadLetter?.id ?? 0, { by: "user:ops" });
      await catchUp(own, name);
      expect(await deadLetters()).toEqual([]);
      expect(ofStream(await destination.arrived(), "a")).toEqual(idsOf([first, bad, behind, later]));
      await close();
    });

    it("leaves out an event that is skipped, and continues behind it", async () => {
      const { happened, own, name, destination, deadLetters, close } = await begin();
      const [bad, behind] = [note("a"), note("a")];
      poison.add(bad.id);
      await happened(bad, behind);
      await catchUp(own, name);
      const [deadLetter] = await deadLetters();
      await own.deadLetters.skip(deadLetter?.id ?? 0, { by: "user:ops", reason: "a test event" });
      await catchUp(own, name);
      expect(idsOf(await destination.arrived())).toEqual([behind.id]);
      await close();
    });

    for (const when of ["before", "after"] as const) {
      it(`has the same content as a fresh one when the process ends ${when} any step`, async () => {
        for (let diesAt = 1; diesAt < MAX_STEPS; diesAt += 1) {
          const { happened, own, name, sink, destination, dispatcherOn, deadLetters, close } = await begin();
          const [first, bad, other, behind, last] = [note("a"), note("a"), note("b"), note("a"), note("c")];
          poison.add(bad.id);
          await happened(first, bad, other, behind, last);
          const mortal = mortalProcess(database, diesAt, when);
          const dying = dispatcherOn(mortal.database, mortal.sink(sink));
          await untilDead(mortal, async () => {
            await catchUp(dying, name);
            poison.delete(bad.id);
            for (const { id } of await deadLetters()) await own.deadLetters.retry(id, { by: "user:ops" });
            await catchUp(dying, name);
          });
          // Its lease has ended.
          await database.query("UPDATE synap.sinks SET runner = NULL WHERE name = $1", [name]);
          await catchUp(own, name);
          poison.delete(bad.id);
          for (const { id } of await deadLetters()) await own.deadLetters.retry(id, { by: "user:ops" });
          await catchUp(own, name);
          const arrived = await destination.arrived();
          const firstTimes = arrived.filter(({ id }, index) => idsOf(arrived).indexOf(id) === index);
          const where = `it died ${when} step ${diesAt}`;
          expect(ofStream(firstTimes, "a"), where).toEqual(idsOf([first, bad, behind]));
          expect(ofStream(firstTimes, "b"), where).toEqual([other.id]);
          expect(ofStream(firstTimes, "c"), where).toEqual([last.id]);
          if (sink.promise.guarantee === "effectively once") expect(arrived, where).toHaveLength(5);
          await close();
          if (!mortal.isDead) {
            expect(diesAt).toBeGreaterThan(10);
            return;
          }
        }
        throw new Error(`A pass takes more than ${MAX_STEPS} steps.`);
      });
    }

    it("runs in one process at a time, and goes on in another when that stops", async () => {
      const { happened, own, name, sink, destination, dispatcherOn, close } = await begin();
      const other = dispatcherOn(database, sink);
      const events = [note("a"), note("a")];
      await happened(...events.slice(0, 1));
      await catchUp(own, name);
      await happened(...events.slice(1));
      expect(await other.catchUp(name)).toEqual({ status: "busy" });
      await own.stopSinks();
      await catchUp(other, name);
      expect(idsOf(await destination.arrived())).toEqual(idsOf(events));
      await close();
    });

    it("refuses a batch that does not follow its checkpoint, and one of another epoch", async () => {
      const { happened, own, name, sink, destination, close } = await begin();
      await happened(note("a"));
      await catchUp(own, name);
      const connection = await sink.open(new AbortController().signal);
      const kept = await connection.checkpoint();
      if (sink.promise.keepsCheckpoint) {
        expect(kept?.position).toBe(await own.handledPosition(name));
        const { position = 0, epoch = "" } = kept ?? {};
        const range = { fromEpoch: epoch, epoch, signal: new AbortController().signal };
        await expect(connection.apply([], { ...range, from: position - 1, to: position })).rejects.toThrow(
          SinkPositionError,
        );
        await expect(
          connection.apply([], { ...range, fromEpoch: "1 of another", from: position, to: position + 1 }),
        ).rejects.toThrow(SinkEpochError);
        // Late events are behind the checkpoint, which stays as it is.
        const late = { aggregateType: "note", aggregateId: "a" };
        await connection.apply([], { ...range, epoch: "2 of this", from: position, to: position, late });
        expect(await connection.checkpoint()).toEqual(kept);
      } else {
        expect(kept).toBeUndefined();
      }
      await connection.close();
      expect(await destination.arrived()).toHaveLength(1);
      await close();
    });
  });
}

async function untilDead(process: { readonly isDead: boolean }, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!process.isDead || !(error instanceof HandlerPassError)) throw error;
  }
}
