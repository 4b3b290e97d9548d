import { randomUUID } from "node:crypto";
import {
  correctionOf,
  eventsInForce,
  type KnownMoment,
  retractionOf,
  type StoredEvent,
  type StreamName,
  seedCatalogue,
} from "@synap/types";
import { naivelyInForce } from "@synap/types/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestStore, testEngines } from "../../testing/index.ts";
import type { Database, EventStore } from "../index.ts";

const TYPE = "note.creation.completed";
const DAY = 86_400_000;
const BEGIN = Date.now() - 3 * DAY;
const day = (number: number) => new Date(BEGIN + number * DAY).toISOString();

/** A fact, or an amendment of an event that is there. */
const step = fc.record({
  stream: fc.constantFrom("a", "b"),
  happened: fc.integer({ min: 0, max: 2 }),
  from: fc.option(fc.integer({ min: -5, max: 5 }), { nil: undefined }),
  days: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  amends: fc.option(fc.nat(20), { nil: undefined }),
  retracts: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

describe.each(["memory", ...testEngines()] as const)("the bitemporal questions (%s)", (kind) => {
  let store: EventStore;
  let database: Database | undefined;
  let drop = async () => {};
  beforeAll(async () => {
    ({ store, database, drop } = await createTestStore(kind));
  });
  afterAll(() => drop());

  /** The events of a stream in force, by the function of the SQL API. */
  async function throughSql(
    { aggregateType, aggregateId }: StreamName,
    { knownAt, validAt }: KnownMoment,
  ): Promise<string[] | undefined> {
    const rows = await database?.asOwner((owner) =>
      owner.query<{ id: string }>(
        `SELECT id FROM synap.get_events_in_force(
                  known_at => $1::timestamptz, valid_at => $2::timestamptz, aggregate_type => $3, aggregate_id => $4)`,
        [knownAt ?? null, validAt ?? null, aggregateType, aggregateId],
      ),
    );
    return rows?.map(({ id }) => id);
  }

  /** The event of a step, which belongs to a flow of its own. */
  function eventOf(
    flow: string,
    { stream, happened, from, days, amends, retracts }: Step,
    log: StoredEvent[],
  ) {
    const amended = amends === undefined ? undefined : log[amends % Math.max(1, log.length)];
    const common = { correlationId: flow, timestamp: day(happened), userId: "ada" };
    const validity = {
      ...(from !== undefined && { validFrom: day(from) }),
      ...(from !== undefined && days !== undefined && { validTo: day(from + days) }),
    };
    const data = { content: randomUUID() };
    if (amended === undefined) {
      return seedCatalogue.completeEvent({
        ...common,
        ...validity,
        type: TYPE,
        aggregateId: `${flow} ${stream}`,
        data,
      });
    }
    const amending = retracts
      ? retractionOf(amended, { ...common, reason: "wrong" })
      : correctionOf(amended, {
          ...common,
          data,
          ...validity,
          // The end of the corrected event may be before the new beginning.
          ...(from !== undefined && days === undefined && { validTo: null }),
        });
    return seedCatalogue.completeEvent(amending);
  }

  /** Appends events in batches, of which an amendment may name what an earlier batch has stored. */
  async function append(flow: string, batches: readonly (readonly Step[])[]): Promise<StoredEvent[]> {
    const log: StoredEvent[] = [];
    for (const batch of batches) {
      const events = batch.map((each) => eventOf(flow, each, log));
      for (const outcome of await store.appendBatch(events)) expect(outcome.status).toBe("stored");
      for (const { id } of events) {
        const stored = await store.getById(id);
        if (stored !== undefined) log.push(stored);
      }
    }
    return log;
  }

  it("are answered as a naive model answers them, whatever was recorded", async () => {
    const moment = fc.option(fc.integer({ min: -6, max: 9 }), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 6 }),
        fc.option(fc.nat(20), { nil: undefined }),
        moment,
        async (batches, known, valid) => {
          const flow = randomUUID();
          const log = await append(flow, batches);
          const knownAt =
            known === undefined ? undefined : new Date(log[known % log.length]?.recordedAt ?? "");
          const validAt = valid === undefined ? undefined : new Date(BEGIN + valid * DAY);
          const query = async (corrections: "applied" | "marked") =>
            (
              await store.query(
                { correlationId: flow, knownAt, validAt, corrections },
                { limit: 100, order: "asc" },
              )
            ).events;
          const inForce = naivelyInForce(log, { knownAt, validAt });
          expect((await query("applied")).map(({ id }) => id).sort()).toEqual([...inForce].sort());
          const unmarked = (await query("marked")).filter(
            ({ amendedBy, metadata }) => amendedBy === undefined && metadata?.["retracts"] === undefined,
          );
          expect(unmarked.map(({ id }) => id).sort()).toEqual([...inForce].sort());
          for (const stream of ["a", "b"]) {
            const events: StoredEvent[] = [];
            const name = { aggregateType: "note", aggregateId: `${flow} ${stream}` };
            for await (const event of store.readStream(name)) events.push(event);
            const known = naivelyInForce(events, { knownAt, validAt });
            expect(eventsInForce(events, { knownAt, validAt }).map(({ id }) => id)).toEqual(known);
            expect((await throughSql(name, { knownAt, validAt })) ?? known).toEqual(known);
          }
        },
      ),
      { numRuns: kind === "memory" ? 60 : 15 },
    );
  });

  it("have events that begin to hold at one moment in the order of positions, a correction in the place of its original", async () => {
    const flow = randomUUID();
    const fact = { stream: "a", happened: 1, days: undefined, amends: undefined, retracts: false } as const;
    const [first, second, early] = await append(flow, [
      [{ ...fact, from: 2 }],
      [{ ...fact, from: 2 }],
      [{ ...fact, from: 1 }],
      [{ ...fact, from: undefined, amends: 0 }],
    ]);
    const name = { aggregateType: "note", aggregateId: `${flow} a` };
    const events: StoredEvent[] = [];
    for await (const event of store.readStream(name)) events.push(event);
    const correction = events.at(-1);
    const inOrder = [early?.id, correction?.id, second?.id];
    expect(correction?.metadata?.["corrects"]).toBe(first?.id);
    expect(eventsInForce(events).map(({ id }) => id)).toEqual(inOrder);
    expect((await throughSql(name, {})) ?? inOrder).toEqual(inOrder);
  });

  it("have the same answers page by page, in both directions", async () => {
    const flow = randomUUID();
    const facts = Array.from({ length: 9 }, (_, index): Step => {
      const amends = index > 4 ? index - 5 : undefined;
      return {
        stream: "a",
        happened: 1,
        from: undefined,
        days: undefined,
        amends,
        retracts: index % 2 === 0,
      };
    });
    await append(
      flow,
      facts.map((fact) => [fact]),
    );
    const filter = { correlationId: flow, corrections: "applied" } as const;
    const { events: all } = await store.query(filter, { limit: 100, order: "asc" });
    const read: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await store.query(filter, { limit: 2, order: "asc", cursor });
      read.push(...page.events.map(({ id }) => id));
      if (page.nextCursor === undefined) break;
      cursor = page.nextCursor;
    }
    expect(read).toEqual(all.map(({ id }) => id));
    expect(all).toHaveLength(3);
  });

  it("name what amends an event, as known at a moment, and hide what the reader may not see", async () => {
    const flow = randomUUID();
    const fact: Step = {
      stream: "a",
      happened: 1,
      from: undefined,
      days: undefined,
      amends: undefined,
      retracts: false,
    };
    const [first] = await append(flow, [[fact]]);
    if (first === undefined) throw new Error("Nothing was stored.");
    const hidden = {
      ...seedCatalogue.completeEvent(correctionOf(first, { data: { content: "x" } })),
      userId: "ben",
    };
    await store.append({ ...hidden, correlationId: flow });
    const correction = await store.getById(hidden.id);
    const marked = { correlationId: flow, corrections: "marked" } as const;
    const asAda = store.visibleTo({ userId: "ada" });
    const page = { limit: 10, order: "asc" } as const;
    expect((await store.query(marked, page)).events.map(({ amendedBy }) => amendedBy)).toEqual([
      { kind: "correction", eventId: hidden.id, recordedAt: correction?.recordedAt },
      undefined,
    ]);
    expect((await asAda.query(marked, page)).events).toEqual([first]);
    expect((await asAda.query({ ...marked, corrections: "applied" }, page)).events).toEqual([first]);
    const before = new Date(Date.parse(correction?.recordedAt ?? "") - 1);
    if (before.valueOf() < Date.parse(first.recordedAt)) return;
    expect((await store.query({ ...marked, knownAt: before }, page)).events).toEqual([first]);
  });
});
