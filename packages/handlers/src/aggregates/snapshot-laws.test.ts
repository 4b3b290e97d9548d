import type { EventStore } from "@synap/database";
import { createMemoryEventStore } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { createEventCatalogue, defineEventType, type JsonObject } from "@synap/types";
import fc from "fast-check";
import { expect, it } from "vitest";
import { z } from "zod";
import { SnapshotSkippedError } from "./aggregate-errors.ts";
import { createAggregateRepository } from "./aggregate-repository.ts";
import type { AggregateCommand, DecidedEvent, Decider } from "./decider.ts";
import { createSnapshotStore } from "./snapshots.ts";

// SYNAP_FUZZ_SEED repeats a run.
const SEED = Number(process.env["SYNAP_FUZZ_SEED"] ?? Date.now() % 2 ** 31);

const happened = defineEventType({
  name: "thing.happened",
  description: "Something happened.",
  schema: z.strictObject({ place: z.int() }),
  example: { place: 0 },
});
const catalogue = createEventCatalogue([happened]);

const KEYS = ["a", "b", "10", "2", "__proto__"];
const leaf = fc.oneof(
  // Some of its numbers are -0, which JSON represents as 0.
  fc.jsonValue({ maxDepth: 2 }).map((value): unknown => JSON.parse(JSON.stringify(value))),
  fc.constantFrom(" padded ", "5", "\ufeff", "\u0000", "\ud800", 1e300, 5e-324, true),
);
/** Values that JSON can't represent, or only as another value. */
const oddLeaf = fc.constantFrom<unknown>(-0, undefined, new Date(0), [undefined], Object.create(null));
const states = (value: fc.Arbitrary<unknown>) =>
  fc.array(fc.uniqueArray(fc.tuple(fc.constantFrom(...KEYS), value), { selector: ([key]) => key }), {
    minLength: 1,
    maxLength: 4,
  });

/** Schemas that accept nearly anything and return something else. */
const field = fc.constantFrom<z.ZodType>(
  z.any().optional(),
  z.unknown().optional(),
  z.string().trim().catch("caught"),
  z.coerce.number().catch(7),
  z.number().catch(0),
  z.any().default("default"),
  z.record(z.string(), z.any()).catch({}),
  z.array(z.any()).catch([]),
  z.object({}).catch({}),
);
const schema = fc
  .tuple(fc.dictionary(fc.constantFrom("a", "b", "2"), field), fc.boolean())
  .map(([shape, isLoose]) => (isLoose ? z.looseObject(shape) : z.object(shape)));

type Thing = Decider<JsonObject, AggregateCommand, DecidedEvent>;

/** A decider whose nth event leads to the nth state, which also holds the previous state, down to the order of its keys. */
function thing(state: z.ZodType, entries: readonly (readonly (readonly [string, unknown])[])[]): Thing {
  return {
    name: "thing",
    description: "A thing.",
    events: [happened],
    commands: {},
    state: state as z.ZodType<JsonObject>,
    initialState: {},
    revision: 1,
    evolve: (before, event) => {
      const after = { before: JSON.stringify(before) };
      for (const [key, value] of entries[Number(event.data["place"])] ?? []) {
        Object.defineProperty(after, key, { value, enumerable: true, writable: true, configurable: true });
      }
      return after as JsonObject;
    },
    decide: () => [],
  };
}

describeOnEveryEngine(`snapshots of any state under any schema (seed ${SEED})`, (engine) => {
  /** Loads an aggregate after each of its events, with and without snapshots; returns what the snapshots did. */
  async function compare(decider: Thing, events: number, aggregateId: string) {
    const memory = createMemoryEventStore({ catalogue });
    let read = 0;
    const store: Pick<EventStore, "readStream" | "appendToStream" | "findDuplicates"> = {
      ...memory,
      readStream: async function* (...request) {
        for await (const event of memory.readStream(...request)) {
          read += 1;
          yield event;
        }
      },
    };
    const failures: unknown[] = [];
    const snapshots = {
      store: createSnapshotStore(engine.database),
      every: 1,
      onFailure: (error: unknown) => failures.push(error),
    };
    const plain = createAggregateRepository({ store: memory, decider });
    const kept = createAggregateRepository({ store, decider, snapshots });
    let spared = 0;
    for (let place = 0; place < events; place += 1) {
      await memory.appendToStream({ aggregateType: "thing", aggregateId }, place, [
        { type: happened.name, data: { place } },
      ]);
      const folded = await plain.load(aggregateId);
      for (const _ of ["takes a snapshot", "uses it"]) {
        const before = read;
        const restored = await kept.load(aggregateId);
        if (read - before < place + 1) spared += 1;
        expect(restored).toStrictEqual(folded);
        expect(JSON.stringify(restored)).toBe(JSON.stringify(folded));
      }
    }
    return { failures, spared, skipped: kept.skippedSnapshots() };
  }

  it("yield the same state as the events", async () => {
    let spared = 0;
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(schema, states(leaf), async (each, entries) => {
        runs += 1;
        const done = await compare(thing(each, entries), entries.length, `plain ${runs}`);
        spared += done.spared;
        expect(done).toMatchObject({ failures: [], skipped: 0 });
      }),
      { seed: SEED, numRuns: 40 },
    );
    expect(spared).toBeGreaterThan(40);
  });

  it("are not taken of a state that JSON can't represent, which is reported once", async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(schema, states(fc.oneof(leaf, oddLeaf)), async (each, entries) => {
        runs += 1;
        const { failures, skipped } = await compare(thing(each, entries), entries.length, `odd ${runs}`);
        expect(failures).toEqual(skipped === 0 ? [] : [expect.any(SnapshotSkippedError)]);
      }),
      { seed: SEED, numRuns: 40 },
    );
  });

  it("are not taken of a state that does not satisfy its schema, which is reported once", async () => {
    const strict = thing(z.strictObject({ before: z.string() }), [[["a", 1]], [["a", 2]]]);
    const { failures, spared, skipped } = await compare(strict, 2, "strict");
    expect(spared).toBe(0);
    expect(skipped).toBe(4);
    expect(failures).toMatchObject([
      { code: "SNAPSHOT_SKIPPED", stream: { aggregateType: "thing", aggregateId: "strict" } },
    ]);
  });
});
