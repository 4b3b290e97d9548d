import type { ReadAllPage } from "@synap/database";
import type { StoredEvent } from "@synap/types";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type PageConsumer, SharedPages, takeFrom } from "./shared-pages.ts";

// SYNAP_FUZZ_SEED repeats a run.
const SEED = Number(process.env["SYNAP_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const TYPES = ["a", "b", "c"];
const PAGE = 4;

const eventAt = (position: number, type: string) => ({ position, type, id: `${position}` }) as StoredEvent;

/** A log in memory, read page by page as the store does it, and a count of its reads. */
function createLog() {
  const events: StoredEvent[] = [];
  let reads = 0;
  return {
    events,
    reads: () => reads,
    append: (type: string) => void events.push(eventAt(events.length + 1, type)),
    async read(after: number, types: readonly string[] | "all"): Promise<ReadAllPage> {
      reads += 1;
      const watermark = events.length;
      const wanted = events.filter(
        ({ position, type }) => position > after && (types === "all" || types.includes(type)),
      );
      const page = wanted.slice(0, PAGE);
      const isCut = wanted.length > page.length;
      return {
        events: page,
        position: isCut ? (page.at(-1)?.position ?? after) : watermark,
        watermark,
        caughtUp: !isCut,
      };
    },
  };
}

type Log = ReturnType<typeof createLog>;

/** A consumer with its checkpoint. A pass takes events as a follower's does, and saves the checkpoint unless it fails. */
function createConsumer(pages: SharedPages, log: Log, checkpoint: string, types: PageConsumer["types"]) {
  const state = { position: 0, got: [] as number[], mostTaken: 0 };
  return {
    state,
    types,
    async pass(announced: number, fails = false): Promise<boolean> {
      const as: PageConsumer = { checkpoint, types, announced, limit: PAGE };
      const after = state.position;
      const taken =
        takeFrom(pages.pagesWith(types), as, after) ??
        (after < log.events.length
          ? await pages.read(as, after, (each) => log.read(after, each))
          : { events: [], position: after, caughtUp: true });
      if (fails) return false;
      state.got.push(...taken.events.map(({ position }) => position));
      state.mostTaken = Math.max(state.mostTaken, taken.events.length);
      state.position = taken.position;
      pages.moved(checkpoint, types, taken.position);
      return taken.caughtUp;
    },
  };
}

const ofTypes = fc.oneof(
  fc.constant("all" as const),
  fc.uniqueArray(fc.constantFrom(...TYPES), { minLength: 1, maxLength: 2 }),
);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ append: fc.constantFrom(...TYPES) }) },
  {
    weight: 5,
    arbitrary: fc.record({ pass: fc.nat({ max: 4 }), fails: fc.boolean(), lateBy: fc.nat({ max: 3 }) }),
  },
  { weight: 3, arbitrary: fc.record({ together: fc.uniqueArray(fc.nat({ max: 4 }), { minLength: 2 }) }) },
  { weight: 1, arbitrary: fc.constant({ clear: true }) },
);

it("every consumer gets its events once and in order, whichever pages it takes and whoever fails or stands still", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(ofTypes, { minLength: 5, maxLength: 5 }),
      fc.array(step, { maxLength: 120 }),
      async (types, steps) => {
        const pages = new SharedPages();
        const log = createLog();
        const consumers = types.map((each, index) => createConsumer(pages, log, `c${index}`, each));
        const wantedBy = (index: number) =>
          log.events
            .filter(({ type }) => types[index] === "all" || types[index]?.includes(type))
            .map(({ position }) => position);
        for (const each of steps) {
          if ("append" in each) log.append(each.append);
          else if ("pass" in each) {
            const announced = Math.max(0, log.events.length - each.lateBy);
            const isCaughtUp = await consumers[each.pass]?.pass(announced, each.fails);
            // Whoever believes that nothing is left sleeps until the next announcement.
            if (isCaughtUp === true) {
              const due = wantedBy(each.pass).filter((position) => position <= announced);
              expect(consumers[each.pass]?.state.got.slice(0, due.length)).toEqual(due);
            }
          } else if ("together" in each) {
            const announced = log.events.length;
            await Promise.all(each.together.map((index) => consumers[index]?.pass(announced)));
          } else pages.clear();
          expect(pages.pagesWith([]).length).toBeLessThanOrEqual(4);
          for (const { state } of consumers) expect(state.mostTaken).toBeLessThanOrEqual(PAGE);
        }
        for (const [index, consumer] of consumers.entries()) {
          while (!(await consumer.pass(log.events.length)));
          expect(consumer.state.got).toEqual(wantedBy(index));
        }
        // Nobody is about to need a page.
        expect(pages.pagesWith([])).toEqual([]);
      },
    ),
    { seed: SEED, numRuns: 300 },
  );
});

it("consumers at the same position share a read, and one that stands still does not keep more than four pages", async () => {
  const pages = new SharedPages();
  const log = createLog();
  const [still, ...others] = ["still", "x", "y", "z"].map((name) => createConsumer(pages, log, name, "all"));
  log.append("a");
  for (const each of [still, ...others]) await each?.pass(log.events.length);
  const before = log.reads();
  for (let round = 0; round < 10; round += 1) {
    for (let count = 0; count < PAGE; count += 1) log.append("a");
    for (const other of others) await other.pass(log.events.length);
    expect(pages.pagesWith("all").length).toBeLessThanOrEqual(4);
  }
  expect(log.reads() - before).toBe(10);
  while (!(await still?.pass(log.events.length)));
  expect(still?.state.got).toEqual(log.events.map(({ position }) => position));
});

it("a consumer reads for itself when the one that reads for both fails, or takes long", async () => {
  const pages = new SharedPages();
  const log = createLog();
  const as = (checkpoint: string): PageConsumer => ({ checkpoint, types: "all", announced: 1, limit: PAGE });
  log.append("a");
  for (const name of ["x", "y"]) pages.moved(name, "all", 0);
  const failing = pages.read(as("x"), 0, () => Promise.reject(new Error("the connection is gone")));
  const taken = pages.read(as("y"), 0, (types) => log.read(0, types));
  await expect(failing).rejects.toThrow("the connection is gone");
  expect((await taken).events).toHaveLength(1);

  let answer = (_page: ReadAllPage) => {};
  const stuck = pages.read(as("x"), 0, () => new Promise((resolve) => (answer = resolve)));
  expect((await pages.read(as("y"), 0, (types) => log.read(0, types))).events).toHaveLength(1);
  answer(await log.read(0, "all"));
  expect((await stuck).events).toHaveLength(1);
});
