import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { catchUpFully } from "../../testing/handler-scenario.ts";
import { recordingProjection } from "../../testing/recording-projection.ts";
import { beginNow, createSeenTable, seeing, seenBy } from "../../testing/seen-events.ts";
import { EventDispatcher } from "../engine/event-dispatcher.ts";
import { HandlerPassError, TransientHandlerError } from "../handler/handler-errors.ts";
import { NothingToResolveError } from "./processing-errors.ts";

// SYNAP_FUZZ_SEED repeats a run.
const SEED = Number(process.env["SYNAP_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const NOTE = "note.creation.completed";
const BYTES = 4 * 1024 * 1024;
const note = (stream: string): SynapEvent =>
  createSynapEvent({ type: NOTE, aggregateId: stream, data: { content: "x" } });
const task = (stream: string): SynapEvent =>
  createSynapEvent({ type: "task.created", aggregateId: stream, data: { title: "x" } });

describeOnEveryEngine("the processing of events", (engine) => {
  beforeAll(() => createSeenTable(engine.database));

  const poison = new Set<string>();
  let made = 0;
  /** An asynchronous and an inline handler of notes that refuse poison events, and an asynchronous one of tasks. */
  async function process({ maxAttempts = 1 } = {}) {
    made += 1;
    const { database } = engine;
    const afterwards = (events: readonly { readonly id: string }[]) => {
      if (events.some((event) => poison.has(event.id))) throw new RangeError("poison is refused");
    };
    const names = { later: `later-${made}`, inline: `inline-${made}`, tasks: `tasks-${made}` };
    const dispatcher = new EventDispatcher({
      database,
      catalogue: seedCatalogue,
      handlers: [
        seeing(names.later, { eventTypes: [NOTE], afterwards }),
        seeing(names.inline, { mode: "inline", eventTypes: [NOTE], afterwards }),
        seeing(names.tasks, { eventTypes: ["task.created"] }),
      ],
      maxAttempts,
    });
    await beginNow(database, names.later);
    await beginNow(database, names.tasks);
    const { processing, store } = dispatcher;
    return {
      ...names,
      dispatcher,
      processing,
      append: (...events: SynapEvent[]) => store.appendBatch(events),
      follow: (name: string) => catchUpFully(dispatcher, name),
      stateOf: async ({ id }: SynapEvent, handler: string) =>
        (await processing.of(id))?.handlers.find((each) => each.handler === handler),
      /** Every page of the unprocessed events. */
      async unprocessed(filter: object = {}, limit = 100) {
        const found = [];
        let after: number | undefined = 0;
        while (after !== undefined) {
          const page = await processing.unprocessed({ ...filter, after, limit, maxBytes: BYTES });
          expect(page.events.length).toBeLessThanOrEqual(limit);
          found.push(...page.events);
          after = page.next;
        }
        return found;
      },
    };
  }

  it("is pending behind the checkpoint, then done; an inline handler has done it with the append", async () => {
    const { append, follow, stateOf, later, inline, tasks, processing } = await process();
    const event = note("a");
    await append(event);
    expect(await stateOf(event, later)).toEqual({ handler: later, mode: "async", state: "pending" });
    expect(await stateOf(event, inline)).toEqual({ handler: inline, mode: "inline", state: "done" });
    expect(await stateOf(event, tasks)).toBeUndefined();
    await follow(later);
    expect(await stateOf(event, later)).toEqual({ handler: later, mode: "async", state: "done" });
    expect(await processing.of("019aa000-0000-7000-8000-000000000001")).toBeUndefined();
  });

  it("is failed for a dead letter, and parked behind it; a retry with a reason makes both done", async () => {
    const { append, follow, stateOf, later, processing, unprocessed } = await process();
    const [bad, behind, other] = [note("b"), note("b"), note("c")];
    poison.add(bad.id);
    await append(bad, behind, other);
    await follow(later);
    const failed = await stateOf(bad, later);
    expect(failed).toMatchObject({
      state: "failed",
      processingError: "poison is refused",
      code: "range-error",
      attempts: 1,
      deadLetter: expect.any(Number),
      firstFailedAt: expect.any(String),
      lastFailedAt: expect.any(String),
    });
    expect(await stateOf(behind, later)).toEqual({
      handler: later,
      mode: "async",
      state: "parked",
      deadLetter: failed?.deadLetter,
    });
    expect(await stateOf(other, later)).toMatchObject({ state: "done" });
    const listed = async (state: string) =>
      (await unprocessed({ handler: later, state })).map(({ event }) => event.id);
    expect(await listed("failed")).toEqual([bad.id]);
    expect(await listed("parked")).toEqual([behind.id]);
    expect(await listed("pending")).toEqual([]);

    const decide = (event: SynapEvent) =>
      processing.resolve(event.id, { handler: later, action: "retry", by: "user:ada", reason: "repaired" });
    expect(await decide(bad)).toMatchObject({ outcome: { status: "open", parked: 1 } });
    expect(await stateOf(bad, later)).toMatchObject({ state: "failed", attempts: 2 });
    poison.delete(bad.id);
    const retried = await decide(bad);
    expect(retried?.outcome).toMatchObject({ status: "retried", released: 1, parked: 0 });
    expect(retried?.handlers.find(({ handler }) => handler === later)).toMatchObject({
      state: "done",
      deadLetter: failed?.deadLetter,
      resolvedBy: "user:ada",
      resolution: "repaired",
    });
    expect(await stateOf(behind, later)).toMatchObject({ state: "done" });
  });

  it("is skipped with who and why, and stays so", async () => {
    const { append, follow, stateOf, later, processing } = await process();
    const bad = note("d");
    poison.add(bad.id);
    await append(bad);
    await follow(later);
    const skip = () =>
      processing.resolve(bad.id, { handler: later, action: "skip", by: "user:ada", reason: "a test note" });
    expect(await skip()).toMatchObject({ outcome: { status: "skipped" } });
    expect(await stateOf(bad, later)).toMatchObject({
      state: "skipped",
      resolvedBy: "user:ada",
      resolution: "a test note",
    });
    await expect(skip()).rejects.toMatchObject({ code: "NOTHING_TO_RESOLVE", state: "skipped" });
  });

  it("is failed while the event is tried again, with the time of the next attempt", async () => {
    const { append, later, dispatcher, stateOf, processing } = await process({ maxAttempts: 3 });
    const [bad, behind] = [note("e"), note("e")];
    poison.add(bad.id);
    await append(bad, behind);
    await dispatcher.catchUp(later);
    const failed = await stateOf(bad, later);
    expect(failed).toMatchObject({ state: "failed", code: "range-error", nextAttemptAt: expect.any(String) });
    expect(failed).not.toHaveProperty("deadLetter");
    expect(await stateOf(behind, later)).toEqual({ handler: later, mode: "async", state: "parked" });
    const decision = { handler: later, action: "retry", by: "user:ada" } as const;
    await expect(processing.resolve(bad.id, decision)).rejects.toThrow(/by itself, at /);
    await expect(processing.resolve(behind.id, decision)).rejects.toMatchObject({ state: "parked" });
  });

  it("shows why a handler whose pass failed has not reached an event", async () => {
    const { database } = engine;
    made += 1;
    const name = `unavailable-${made}`;
    const handler = seeing(name, {
      eventTypes: [NOTE],
      afterwards: () => {
        throw new TransientHandlerError("the mail server is away");
      },
    });
    const dispatcher = new EventDispatcher({ database, catalogue: seedCatalogue, handlers: [handler] });
    await beginNow(database, name);
    const [first, second] = [note("f"), note("g")];
    await dispatcher.store.append(first);
    const failure = await dispatcher.catchUp(name).catch((error: unknown) => error);
    if (!(failure instanceof HandlerPassError)) throw new Error("The pass must fail.", { cause: failure });
    await dispatcher.recordPassFailure(failure, 60_000);
    await dispatcher.store.append(second);
    const known = { handler: name, processingError: "the mail server is away", attempts: 1 };
    const states = async ({ id }: SynapEvent) => (await dispatcher.processing.of(id))?.handlers;
    expect(await states(first)).toMatchObject([{ ...known, state: "failed" }]);
    expect(await states(second)).toMatchObject([{ ...known, state: "pending" }]);
    const [listed] = (
      await dispatcher.processing.unprocessed({
        after: 0,
        limit: 10,
        maxBytes: BYTES,
        handler: name,
        state: "failed",
      })
    ).events;
    expect(listed?.event.id).toBe(first.id);
  });

  it("is that of each build of a projection, by the segment of the stream", async () => {
    const { database } = engine;
    made += 1;
    const projection = recordingProjection({ name: `processed-notes-${made}`, segments: 3 });
    const dispatcher = new EventDispatcher({
      database,
      catalogue: seedCatalogue,
      projections: [projection],
    });
    await dispatcher.projections.prepare();
    await catchUpFully(dispatcher, projection.name);
    const events = Array.from({ length: 6 }, (_, index) => note(`segment ${index}`));
    await dispatcher.store.appendBatch(events);
    const states = async () => {
      const found = await Promise.all(events.map(({ id }) => dispatcher.processing.of(id)));
      return found.flatMap((each) => each?.handlers ?? []);
    };
    expect(await states()).toEqual(
      events.map(() => ({
        handler: expect.stringMatching(/^processed-notes-\d+\/\d+$/),
        projection: projection.name,
        role: "live",
        mode: "async",
        state: "pending",
      })),
    );
    await catchUpFully(dispatcher, projection.name);
    expect((await states()).map(({ state }) => state)).toEqual(events.map(() => "done"));
  });

  it("refuses a decision where there is none to make, and says why", async () => {
    const { append, follow, later, tasks, processing } = await process();
    const [first, second] = [note("g"), note("g")];
    await append(first);
    await follow(later);
    await append(second);
    const retry = ({ id }: SynapEvent, handler: string) =>
      processing.resolve(id, { handler, action: "retry", by: "user:ada" });
    await expect(retry(first, later)).rejects.toThrow(NothingToResolveError);
    await expect(retry(first, later)).rejects.toThrow(/has handled this event/);
    await expect(retry(second, later)).rejects.toThrow(/has not reached this event/);
    await expect(retry(second, tasks)).rejects.toThrow(`does not handle events of type "${NOTE}"`);
    expect(await retry(task("nowhere"), tasks)).toBeUndefined();
  });

  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        append: fc.array(fc.record({ stream: fc.nat({ max: 3 }), kind: fc.nat({ max: 9 }) }), {
          minLength: 1,
          maxLength: 6,
        }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ pass: fc.constantFrom("later" as const, "tasks" as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ decide: fc.constantFrom("retry" as const, "skip" as const), nth: fc.nat() }),
    },
  );

  it("lists exactly the events that a handler has neither handled nor skipped, with pages of any size", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        async (steps, limit) => {
          const all = await process();
          const { later, inline, tasks, processing } = all;
          const stored: SynapEvent[] = [];
          const skipped = new Map([later, inline].map((name) => [name, new Set<string>()]));
          for (const each of steps) {
            if ("append" in each) {
              const events = each.append.map(({ stream, kind }) =>
                kind < 7 ? note(`p${made}-${stream}`) : task(`p${made}-${stream}`),
              );
              each.append.forEach(({ kind }, index) => {
                if (kind === 0) poison.add(events[index]?.id ?? "");
              });
              stored.push(...events);
              await all.append(...events);
            } else if ("pass" in each) {
              await all.follow(all[each.pass]);
            } else {
              const failed = await all.unprocessed({ state: "failed" });
              const open = failed.flatMap(({ event, handlers }) =>
                handlers
                  .filter(({ handler, state }) => state === "failed" && skipped.has(handler))
                  .map(({ handler }) => ({ event, handler })),
              );
              const chosen = open[each.nth % Math.max(1, open.length)];
              if (chosen === undefined) continue;
              const { event, handler } = chosen;
              if (each.decide === "retry") poison.delete(event.id);
              else skipped.get(handler)?.add(event.id);
              await processing.resolve(event.id, {
                handler,
                action: each.decide,
                by: "user:ada",
                reason: "law",
              });
            }
          }
          for (const [name, type] of [
            [later, NOTE],
            [inline, NOTE],
            [tasks, "task.created"],
          ] as const) {
            const seen = new Set(await seenBy(engine.database, name));
            const expected = stored
              .filter((event) => event.type === type && !seen.has(event.id))
              .filter((event) => skipped.get(name)?.has(event.id) !== true)
              .map(({ id }) => id);
            const found = await all.unprocessed({ handler: name }, limit);
            expect(found.map(({ event }) => event.id)).toEqual(expected);
            const states = ["pending", "parked", "failed"];
            const parts = await Promise.all(states.map((state) => all.unprocessed({ handler: name, state })));
            expect(
              parts
                .flat()
                .map(({ event }) => event.id)
                .sort(),
            ).toEqual([...expected].sort());
          }
          for (const type of [NOTE, "task.created"]) {
            const ofType = await all.unprocessed({ type }, limit);
            expect(new Set(ofType.map(({ event }) => event.type)).size).toBeLessThanOrEqual(1);
          }
          const positions = (await all.unprocessed({}, limit)).map(({ event }) => event.position);
          expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
        },
      ),
      { seed: SEED, numRuns: 8, endOnFailure: true },
    );
  });
});
