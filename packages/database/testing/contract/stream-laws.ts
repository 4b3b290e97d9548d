import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { ExpectedVersion, StreamName } from "@synap/types";
import fc from "fast-check";
import { expect } from "vitest";
import type { EventStore, StreamAppendResult } from "../../src/index.ts";
import type { ContractTest } from "./contract-tests.ts";
import { endOf, readFrom } from "./history.ts";
import { nameOf, StreamModel } from "./stream-model.ts";

const STREAMS = 3;
const EVENTS = 12;

/** An expected version relative to the actual one, so that both matches and conflicts are frequent. */
const expectation = fc.oneof(
  fc.constantFrom<ExpectedVersion>("any", "no-stream", "stream-exists"),
  fc.integer({ min: -1, max: 1 }).map((offset) => ({ offset })),
);
const target = fc.record({ stream: fc.nat(STREAMS - 1), expectation });
type Target = ArbitraryValue<typeof target>;
const append = fc.record({
  kind: fc.constant("append" as const),
  targets: fc.uniqueArray(
    fc.record({ at: target, events: fc.array(fc.nat(EVENTS - 1), { minLength: 1, maxLength: 3 }) }),
    { minLength: 1, maxLength: 2, selector: ({ at }) => at.stream },
  ),
  checks: fc.array(target, { maxLength: 1 }),
});
type Appending = ArbitraryValue<typeof append>;
const close = target.map((at) => ({ kind: "close" as const, at }));
type Closing = ArbitraryValue<typeof close>;
const plans = fc.array(fc.oneof({ weight: 8, arbitrary: append }, { weight: 1, arbitrary: close }), {
  minLength: 1,
  maxLength: 15,
});
/** Appends that come at the same time, and closings after them. Most appends are to one stream, as they are in life. */
const rounds = fc.record({
  appends: fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: append.map((each) => ({ ...each, targets: each.targets.slice(0, 1), checks: [] })),
      },
      { weight: 1, arbitrary: append },
    ),
    { minLength: 1, maxLength: 12 },
  ),
  closings: fc.array(close, { maxLength: 1 }),
});

type ArbitraryValue<T> = T extends fc.Arbitrary<infer Value> ? Value : never;

/** Streams and events that no other run has. */
function newWorld() {
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
  const model = new StreamModel();
  const versionFor = (at: Target) =>
    typeof at.expectation === "object"
      ? Math.max(0, model.version(streamAt(at.stream)) + at.expectation.offset)
      : at.expectation;
  return {
    streams,
    model,
    closing: ({ at }: Closing) => [streamAt(at.stream), versionFor(at)] as const,
    /** The call of a planned append. Its expected versions are relative to the versions that the model has now. */
    appending: ({ targets, checks }: Appending) => {
      const written = new Set(targets.map(({ at }) => at.stream));
      return {
        appends: targets.map(({ at, events: indexes }) => ({
          stream: streamAt(at.stream),
          expectedVersion: versionFor(at),
          events: indexes.flatMap((index) => events[index] ?? []),
        })),
        checks: checks
          .filter((at) => !written.has(at.stream))
          .map((at) => ({ stream: streamAt(at.stream), expectedVersion: versionFor(at) })),
      };
    },
  };
}

/** Sends any commands in any order to the store and to a simple model, and compares their answers and what is stored at the end. */
export function streamLaws(test: ContractTest): void {
  test("behave like a simple model, for any commands in any order", async (store) => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const { model, streams, closing, appending } = newWorld();
        const start = await endOf(store);
        for (const command of plan) {
          if (command.kind === "close") {
            const [stream, expected] = closing(command);
            expect(await answer(store.closeStream(stream, expected))).toEqual(model.close(stream, expected));
            continue;
          }
          const { appends, checks } = appending(command);
          const results = await answer(store.appendToStreams(appends, { checks }));
          expect(results).toEqual(model.append(appends, checks));
        }
        await expectSame(store, start, streams, model);
      }),
      { numRuns: 40 },
    );
  });

  test("answer appends that come at the same time as the model does one by one, in the order of positions", async (store) => {
    await fc.assert(
      fc.asyncProperty(fc.array(rounds, { minLength: 1, maxLength: 3 }), async (plan) => {
        const { model, streams, closing, appending } = newWorld();
        const start = await endOf(store);
        for (const round of plan) {
          const calls = round.appends.map(appending);
          let waiting = await Promise.all(
            calls.map(async ({ appends, checks }) => {
              const sent = store.appendToStreams(appends, { checks });
              return { appends, checks, position: await newPosition(sent), answer: await answer(sent) };
            }),
          );
          /**
           * Removes the calls that stored nothing and have the answer that the model gives at this point. Streams commit in another
           * order than that of their positions: a call may not see yet what was stored in other streams.
           */
          const settle = () => {
            waiting = waiting.filter((call) => {
              if (call.position !== undefined) return true;
              const before = model.log;
              const isAnswerOn = (log: typeof before) => {
                model.log = log;
                const isAnswer = isDeepStrictEqual(model.append(call.appends, call.checks), call.answer);
                model.log = before;
                return isAnswer;
              };
              const own = new Set([...call.appends, ...call.checks].map(({ stream }) => nameOf(stream)));
              return !(isAnswerOn(before) || isAnswerOn(before.filter(({ stream }) => own.has(stream))));
            });
          };
          settle();
          const storing = waiting.flatMap((call) =>
            call.position === undefined ? [] : [{ ...call, position: call.position }],
          );
          for (const call of storing.sort((one, other) => one.position - other.position)) {
            expect(call.answer).toEqual(model.append(call.appends, call.checks));
            settle();
          }
          expect(waiting.filter(({ position }) => position === undefined)).toEqual([]);
          for (const each of round.closings) {
            const [stream, expected] = closing(each);
            expect(await answer(store.closeStream(stream, expected))).toEqual(model.close(stream, expected));
          }
        }
        await expectSame(store, start, streams, model);
      }),
      // What happens at the same time is not the same again, so a smaller example can't be looked for.
      { numRuns: 40, endOnFailure: true },
    );
  });
}

/** The position of the first event that a call stored; undefined if it stored none. */
async function newPosition(call: Promise<readonly StreamAppendResult[]>): Promise<number | undefined> {
  const results = await call.catch(() => []);
  const stored = results.flatMap(({ events }) => events.filter(({ duplicate }) => !duplicate));
  return stored.length === 0 ? undefined : Math.min(...stored.map(({ position }) => position));
}

async function expectSame(
  store: EventStore,
  start: number,
  streams: readonly StreamName[],
  model: StreamModel,
): Promise<void> {
  expect((await readFrom(store, start)).map((event) => event.id)).toEqual(model.log.map(({ id }) => id));
  for (const stream of streams) {
    const ids: string[] = [];
    for await (const event of store.readStream(stream, { pageSize: 2 })) ids.push(event.id);
    expect(ids).toEqual(model.idsOf(stream));
  }
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
