import { randomUUID } from "node:crypto";
import { createEventStore } from "@synap/database/internal";
import {
  createTestDatabase,
  holdStreams,
  serverUrl,
  type TestDatabase,
  testEngines,
} from "@synap/database/testing";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { EventDispatcher } from "../engine/event-dispatcher.ts";
import { appendAroundLocks } from "./append-around-locks.ts";

const note = (aggregateId: string = randomUUID()): SynapEvent =>
  createSynapEvent({ type: "note.creation.completed", aggregateId, data: { content: "x" } });

describe.runIf(testEngines().includes("server"))("a batch that meets locks", () => {
  let test: TestDatabase;
  let url = "";
  beforeAll(async () => {
    test = await createTestDatabase("server");
    url = serverUrl(test);
    await test.database.asOwner((owner) =>
      owner.execute(`
        CREATE TABLE public.totals (stream text PRIMARY KEY, events integer NOT NULL);
        GRANT SELECT, INSERT, UPDATE ON public.totals TO synap_app`),
    );
  });
  afterAll(() => test.drop());

  it("skips the locked streams, however many, and keeps the order of the others", async () => {
    const store = createEventStore({ database: test.database, catalogue: seedCatalogue });
    const streams = Array.from({ length: 40 }, () => randomUUID());
    await store.appendBatch(streams.map((id) => note(id)));
    const stuck = new Set<string>(streams.slice(0, 20));
    const held = await holdStreams(
      url,
      [...stuck].map((aggregateId) => ({ aggregateType: "note", aggregateId })),
    );
    onTestFinished(() => held.release());
    const events = [...streams, ...streams].map((id) => note(id));
    const outcomes = await appendAroundLocks(test.database, store, events);
    expect(outcomes.map(({ status }) => status)).toEqual(
      events.map(({ aggregateId }) => (stuck.has(aggregateId) ? "locked" : "stored")),
    );
    await held.release();
    const again = await appendAroundLocks(test.database, store, events);
    expect(again.map(({ status }) => status)).toEqual(
      events.map(({ aggregateId }) => (stuck.has(aggregateId) ? "stored" : "duplicate")),
    );
    for (const aggregateId of streams) {
      const page = await store.readStreamPage({ aggregateType: "note", aggregateId }, { fromVersion: 2 });
      const own = events.filter((event) => event.aggregateId === aggregateId);
      expect(page.events.map(({ id }) => id)).toEqual(own.map(({ id }) => id));
    }
  });

  it("skips the streams for which an inline handler needs a locked row", async () => {
    const { store } = new EventDispatcher({
      database: test.database,
      catalogue: seedCatalogue,
      handlers: [
        {
          name: "totals",
          description: "Counts the events of each stream.",
          eventTypes: ["note.creation.completed"],
          mode: "inline",
          handle: async (events, { transaction }) => {
            for (const { aggregateId } of events)
              await transaction.query(
                `INSERT INTO public.totals AS t VALUES ($1, 1)
                 ON CONFLICT (stream) DO UPDATE SET events = t.events + 1`,
                [aggregateId],
              );
          },
        },
      ],
    });
    const events = Array.from({ length: 8 }, () => note());
    const stuck = events[5];
    await store.appendBatch(events.map(({ aggregateId }) => note(aggregateId)));
    let outcomes: { status: string }[] = [];
    await test.database.transaction(async (holder) => {
      await holder.query("SELECT FROM public.totals WHERE stream = $1 FOR UPDATE", [
        stuck?.aggregateId ?? "",
      ]);
      outcomes = await appendAroundLocks(test.database, store, events);
    });
    expect(outcomes.map(({ status }) => status)).toEqual(
      events.map((event) => (event === stuck ? "locked" : "stored")),
    );
    expect((await appendAroundLocks(test.database, store, events)).map(({ status }) => status)).toEqual(
      events.map((event) => (event === stuck ? "stored" : "duplicate")),
    );
    expect(await test.database.query("SELECT DISTINCT events FROM public.totals")).toEqual([{ events: 2 }]);
  });
});
