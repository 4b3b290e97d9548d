import { randomUUID } from "node:crypto";
import type { ExpectedVersion, StreamName } from "@synap/types";
import fc from "fast-check";
import { expect } from "vitest";
import type { ContractTest } from "./contract-tests.ts";
import { endOf, readFrom } from "./history.ts";
import { StreamModel } from "./stream-model.ts";

const STREAMS = 3;
const EVENTS = 12;

/** An expected version relative to the actual one, so that both matches and conflicts are frequent. */
const expectation = fc.oneof(
  fc.constantFrom<ExpectedVersion>("any", "no-stream", "stream-exists"),
  fc.integer({ min: -1, max: 1 }).map((offset) => ({ offset })),
);
const target = fc.record({ stream: fc.nat(STREAMS - 1), expectation });
const append = fc.record({
  kind: fc.constant("append" as const),
  targets: fc.uniqueArray(
    fc.record({ at: target, events: fc.array(fc.nat(EVENTS - 1), { minLength: 1, maxLength: 3 }) }),
    { minLength: 1, maxLength: 2, selector: ({ at }) => at.stream },
  ),
  checks: fc.array(target, { maxLength: 1 }),
});
const close = target.map((at) => ({ kind: "close" as const, at }));
const plans = fc.array(fc.oneof({ weight: 8, arbitrary: append }, { weight: 1, arbitrary: close }), {
  minLength: 1,
  maxLength: 15,
});

/**
 * Property test: the store and a simple model must return the same results for any commands in any order, and end with the
 * same streams and the same order of events.
 */
export function streamLaws(test: ContractTest): void {
  test("behave like a simple model, for any commands in any order", async (store) => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const run = randomUUID();
        const streams = Array.from({ length: STREAMS }, (_, index): StreamName => {
          return { aggregateType: "note", aggregateId: `${run} ${index}` };
        });
        const streamAt = (index: number) => streams[index] ?? { aggregateType: "note", aggregateId: "" };
        // A third of the events share their keys with another; the content of an id may differ between streams only.
        const events = Array.from({ length: EVENTS }, (_, index) => ({
          id: randomUUID(),
          type: "note.creation.requested",
          data: { content: `event ${index}` },
          ...(index % 3 === 0 && { idempotencyKey: `${run} ${index % 2}` }),
        }));
        const start = await endOf(store);
        const model = new StreamModel();
        const versionFor = (at: { stream: number; expectation: ExpectedVersion | { offset: number } }) =>
          typeof at.expectation === "object"
            ? Math.max(0, model.version(streamAt(at.stream)) + at.expectation.offset)
            : at.expectation;

        for (const command of plan) {
          if (command.kind === "close") {
            const [stream, expected] = [streamAt(command.at.stream), versionFor(command.at)];
            expect(await answer(store.closeStream(stream, expected))).toEqual(model.close(stream, expected));
            continue;
          }
          const appends = command.targets.map(({ at, events: indexes }) => ({
            stream: streamAt(at.stream),
            expectedVersion: versionFor(at),
            events: indexes.flatMap((index) => events[index] ?? []),
          }));
          const written = new Set(command.targets.map(({ at }) => at.stream));
          const checks = command.checks
            .filter((at) => !written.has(at.stream))
            .map((at) => ({ stream: streamAt(at.stream), expectedVersion: versionFor(at) }));
          const results = await answer(store.appendToStreams(appends, { checks }));
          expect(results).toEqual(model.append(appends, checks));
        }

        expect((await readFrom(store, start)).map((event) => event.id)).toEqual(
          model.log.map(({ id }) => id),
        );
        for (const stream of streams) {
          const ids: string[] = [];
          for await (const event of store.readStream(stream, { pageSize: 2 })) ids.push(event.id);
          expect(ids).toEqual(model.idsOf(stream));
        }
      }),
      { numRuns: 40 },
    );
  });
}

/** Result of a command: the error code when it was refused. Without positions, which the model does not have. */
async function answer(command: Promise<unknown>): Promise<unknown> {
  try {
    const value = await command;
    if (!Array.isArray(value)) return "done";
    return value.map(({ streamVersion, events }) => ({
      streamVersion,
      events: events.map(({ position: _, ...event }: { position: number }) => event),
    }));
  } catch (error) {
    if (error instanceof Error && "code" in error) return error.code;
    throw error;
  }
}
