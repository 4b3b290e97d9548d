import { listDeadLetters } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { catchUpFully } from "../../testing/handler-scenario.ts";
import { beginNow, createSeenTable, seeing, seenBy } from "../../testing/seen-events.ts";
import { EventDispatcher } from "../engine/event-dispatcher.ts";
import type { IEventHandler } from "../handler/event-handler.ts";
import { TransientHandlerError } from "../handler/handler-errors.ts";
import {
  DeadLetterNotFoundError,
  DeadLetterNotRetryableError,
  DeadLetterResolvedError,
} from "./dead-letter-errors.ts";

const note = (stream: string, content = "x"): SynapEvent =>
  createSynapEvent({ type: "note.creation.completed", aggregateId: stream, data: { content } });
const ids = (events: readonly SynapEvent[]) => events.map((event) => event.id);

describeOnEveryEngine("dead letters in sequence", (engine) => {
  beforeAll(() => createSeenTable(engine.database));

  const poison = new Set<string>();
  let made = 0;
  /** Registers a handler that refuses poison events and starts at the end of the log. */
  async function refusing(mode: IEventHandler["mode"]) {
    made += 1;
    const handler = seeing(`refusing-${mode}-${made}`, {
      mode,
      afterwards: (events) => {
        if (events.some((event) => poison.has(event.id))) throw new RangeError("poison");
      },
    });
    const { database } = engine;
    const dispatcher = new EventDispatcher({
      database,
      catalogue: seedCatalogue,
      handlers: [handler],
      maxAttempts: 1,
    });
    await beginNow(database, handler.name);
    return {
      dispatcher,
      deadLetters: dispatcher.deadLetters,
      happened: async (...events: SynapEvent[]) => {
        await dispatcher.store.appendBatch(events);
        if (mode === "async") await catchUpFully(dispatcher, handler.name);
      },
      seen: () => seenBy(database, handler.name),
      open: () => dispatcher.deadLetters.list({ handler: handler.name, status: "open" }),
      name: handler.name,
    };
  }

  for (const mode of ["async", "inline"] as const) {
    it(`hold back the later events of their own stream only (${mode})`, async () => {
      const { happened, seen, open } = await refusing(mode);
      const [bad, after, other, later] = [note("a"), note("a"), note("b"), note("a")];
      poison.add(bad.id);
      await happened(bad, after, other);
      await happened(later);
      expect(await seen()).toEqual([other.id]);
      expect(await open()).toMatchObject([
        {
          eventId: bad.id,
          stream: { aggregateType: "note", aggregateId: "a" },
          parked: 2,
          code: "range-error",
        },
      ]);
    });

    it(`release the parked events in order and exactly once when retried (${mode})`, async () => {
      const { happened, seen, open, deadLetters } = await refusing(mode);
      const events = [note("a"), note("a"), note("a")];
      const [bad, ...rest] = events;
      poison.add(ids(events)[0] ?? "");
      await happened(...events);
      const [deadLetter] = await open();
      const again = await deadLetters.retry(deadLetter?.id ?? 0, { by: "user:ops" });
      expect(again).toMatchObject({
        status: "open",
        released: 0,
        parked: 2,
        failure: { code: "range-error" },
      });
      poison.clear();
      const outcome = await deadLetters.retry(deadLetter?.id ?? 0, { by: "user:ops" });
      expect(outcome).toMatchObject({ status: "retried", released: 2, parked: 0 });
      expect(await seen()).toEqual(ids(events));
      expect(await deadLetters.list({ id: deadLetter?.id })).toMatchObject([
        { status: "retried", resolvedBy: "user:ops", resolvedAt: expect.any(String), attempts: 3 },
      ]);
      const next = note("a");
      await happened(next);
      expect(await seen()).toEqual([bad?.id, ...ids(rest), next.id]);
      await expect(deadLetters.retry(deadLetter?.id ?? 0, { by: "user:ops" })).rejects.toThrow(
        DeadLetterResolvedError,
      );
    });

    it(`are skipped with a reason, and the next poison event behind them holds the stream again (${mode})`, async () => {
      const { happened, seen, open, deadLetters } = await refusing(mode);
      const events = [note("a"), note("a"), note("a"), note("a")];
      poison.add(ids(events)[0] ?? "").add(ids(events)[2] ?? "");
      await happened(...events);
      const [first] = await open();
      const outcome = await deadLetters.skip(first?.id ?? 0, { by: "user:ops", reason: "a test note" });
      expect(outcome).toMatchObject({ status: "skipped", released: 1, parked: 1 });
      expect(await seen()).toEqual([events[1]?.id]);
      expect(await deadLetters.list({ id: first?.id })).toMatchObject([
        { status: "skipped", resolvedBy: "user:ops", resolution: "a test note" },
      ]);
      const [second] = await open();
      expect(second).toMatchObject({ eventId: events[2]?.id, parked: 1 });
      poison.clear();
      await deadLetters.retry(second?.id ?? 0, { by: "user:ops" });
      expect(await seen()).toEqual(ids(events.slice(1)));
    });

    it(`resume where a process died between the decision and the parked events (${mode})`, async () => {
      const { happened, seen, open, name, dispatcher } = await refusing(mode);
      const events = Array.from({ length: 5 }, () => note("a"));
      poison.add(ids(events)[0] ?? "");
      await happened(...events);
      const [deadLetter] = await open();
      await engine.database.query("UPDATE synap.dead_letters SET status = 'skipped' WHERE id = $1", [
        deadLetter?.id ?? 0,
      ]);
      await engine.database.query(
        "UPDATE synap.held_streams SET dead_letter_id = NULL WHERE dead_letter_id = $1",
        [deadLetter?.id ?? 0],
      );
      const late = note("a");
      await dispatcher.store.append(late);
      if (mode === "async") await catchUpFully(dispatcher, name);
      else expect(await dispatcher.releaseInline()).toBe(5);
      expect(await seen()).toEqual([...ids(events.slice(1)), late.id]);
    });

    it(`keep every stream in order without loss or repetition, whatever is poisoned, retried and skipped (${mode})`, async () => {
      const step = fc.oneof(
        {
          weight: 4,
          arbitrary: fc.record({
            kind: fc.constant("append" as const),
            events: fc.array(fc.record({ stream: fc.constantFrom("p", "q", "r"), bad: fc.boolean() }), {
              minLength: 1,
              maxLength: 5,
            }),
          }),
        },
        { weight: 2, arbitrary: fc.record({ kind: fc.constant("cure" as const), nth: fc.nat(9) }) },
        {
          weight: 3,
          arbitrary: fc.record({ kind: fc.constantFrom("retry" as const, "skip" as const), nth: fc.nat(9) }),
        },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          poison.clear();
          const { happened, seen, open, deadLetters } = await refusing(mode);
          const streams = new Map<string, string[]>();
          const skipped = new Set<string>();
          const resolve = async (kind: "retry" | "skip", nth: number) => {
            const candidates = await open();
            const deadLetter = candidates[nth % Math.max(1, candidates.length)];
            if (deadLetter === undefined) return false;
            if (kind === "skip") {
              skipped.add(deadLetter.eventId);
              await deadLetters.skip(deadLetter.id, { by: "user:ops", reason: "no" });
            } else await deadLetters.retry(deadLetter.id, { by: "user:ops" });
            return true;
          };
          for (const each of steps) {
            if (each.kind === "append") {
              const events = each.events.map(({ stream, bad }) => {
                const event = note(stream);
                if (bad) poison.add(event.id);
                streams.set(stream, [...(streams.get(stream) ?? []), event.id]);
                return event;
              });
              await happened(...events);
            } else if (each.kind === "cure") {
              const bad = [...poison];
              poison.delete(bad[each.nth % Math.max(1, bad.length)] ?? "");
            } else await resolve(each.kind, each.nth);
            expectPrefixes(await seen(), streams, skipped);
          }
          poison.clear();
          while (await resolve("retry", 0));
          const order = [...streams].map(([, all]) => all.filter((id) => !skipped.has(id)));
          const end = await seen();
          expect(end.length).toBe(order.flat().length);
          for (const stream of order) {
            const members = new Set(stream);
            expect(end.filter((id) => members.has(id))).toEqual(stream);
          }
        }),
        { numRuns: 12 },
      );
    });
  }

  /** Expects that the events seen of each stream are its first ones, in order, without the skipped ones. */
  function expectPrefixes(
    seen: readonly string[],
    streams: ReadonlyMap<string, string[]>,
    skipped: ReadonlySet<string>,
  ): void {
    for (const [, all] of streams) {
      const members = new Set(all);
      const of = seen.filter((id) => members.has(id));
      expect(of).toEqual(all.filter((id) => !skipped.has(id)).slice(0, of.length));
    }
  }

  it("stay unchanged when a retry fails transiently", async () => {
    const { happened, open, deadLetters, seen, dispatcher, name } = await refusing("async");
    const bad = note("a");
    poison.add(bad.id);
    await happened(bad);
    const [deadLetter] = await open();
    const away = new EventDispatcher({
      database: engine.database,
      catalogue: seedCatalogue,
      handlers: [
        seeing(name, { afterwards: () => Promise.reject(new TransientHandlerError("the server is away")) }),
      ],
    });
    await expect(away.deadLetters.retry(deadLetter?.id ?? 0, { by: "user:ops" })).rejects.toThrow(
      TransientHandlerError,
    );
    expect(await open()).toMatchObject([{ id: deadLetter?.id, attempts: deadLetter?.attempts }]);
    poison.clear();
    await deadLetters.retry(deadLetter?.id ?? 0, { by: "user:ops" });
    expect(await seen()).toEqual([bad.id]);
    await catchUpFully(dispatcher, name);
  });

  it("can't be retried without their handler, which the error names", async () => {
    const { deadLetters } = await refusing("async");
    await expect(deadLetters.retry(987_654, { by: "user:ops" })).rejects.toThrow(DeadLetterNotFoundError);
    await expect(deadLetters.skip(987_654, { by: "user:ops", reason: "x" })).rejects.toThrow(
      DeadLetterNotFoundError,
    );
    const { happened, open } = await refusing("async");
    const bad = note("z");
    poison.add(bad.id);
    await happened(bad);
    const [deadLetter] = await open();
    await expect(deadLetters.retry(deadLetter?.id ?? 0, { by: "user:ops" })).rejects.toThrow(
      DeadLetterNotRetryableError,
    );
    expect(await deadLetters.skip(deadLetter?.id ?? 0, { by: "user:ops", reason: "gone" })).toMatchObject({
      status: "skipped",
    });
  });

  it("are resolved once by two concurrent retries, beside a worker and appends", async () => {
    if (engine.engine === "embedded") return; // One session, hence no concurrency.
    for (const mode of ["async", "inline"] as const) {
      const { happened, open, deadLetters, seen, dispatcher, name } = await refusing(mode);
      const events = Array.from({ length: 30 }, () => note("a"));
      poison.add(ids(events)[0] ?? "");
      await happened(...events);
      poison.clear();
      const [deadLetter] = await open();
      const more = Array.from({ length: 10 }, () => note("a"));
      const results = await Promise.allSettled([
        deadLetters.retry(deadLetter?.id ?? 0, { by: "user:one" }),
        deadLetters.retry(deadLetter?.id ?? 0, { by: "user:two" }),
        ...(mode === "async" ? [catchUpFully(dispatcher, name)] : []),
        (async () => {
          for (const event of more) await dispatcher.store.append(event);
        })(),
      ]);
      expect(results.slice(0, 2).filter((result) => result.status === "fulfilled")).toHaveLength(1);
      if (mode === "async") await catchUpFully(dispatcher, name);
      else await dispatcher.releaseInline();
      expect(await seen()).toEqual(ids([...events, ...more]));
      expect(await listDeadLetters(engine.database, { handler: name, status: "open" })).toEqual([]);
    }
  });
});
