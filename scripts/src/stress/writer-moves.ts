import type { Transaction } from "@synap/database";
import type { StreamName } from "@synap/types";
import { makeEvents, type NumberedEvent, pickCounter, pickDiary, stressCatalogue } from "./stress-events.ts";
import { ChangedMind, type Writer, written } from "./writer.ts";
import type { WrittenEvent } from "./writer-journal.ts";

interface Move {
  /** Relative frequency. */
  readonly share: number;
  readonly move: (writer: Writer) => Promise<void>;
}

/** The moves of a writer. */
export const writerMoves: readonly [Move, ...Move[]] = [
  { share: 30, move: expectVersion },
  { share: 15, move: appendWithoutExpectation },
  { share: 10, move: appendBatch },
  { share: 12, move: appendToSeveral },
  { share: 30, move: longWay },
  { share: 15, move: appendAtTheSameTime },
  { share: 3, move: unrelatedTransaction },
];

/** Reads a counter's version, pauses, and appends at that version: of several concurrent writers, one wins. */
async function expectVersion(writer: Writer): Promise<void> {
  const stream = pickCounter(writer.random);
  const expected = (await writer.store.getStream(stream))?.streamVersion ?? 0;
  await writer.pause();
  const events = makeEvents(stream, writer.number, writer.random.whole(1, 3));
  const send = async () => written([await writer.store.appendToStream(stream, expected, events)], events);
  let first: WrittenEvent[] = [];
  const isStored = await writer.attempt(events, async () => {
    first = await send();
    return first;
  });
  if (isStored && writer.random.happens(0.2)) await sendAgain(writer, first, send);
}

/** Regardless of the current version, the same events must get their first response. */
async function sendAgain(
  writer: Writer,
  first: readonly WrittenEvent[],
  send: () => Promise<WrittenEvent[]>,
): Promise<void> {
  const second = await send();
  writer.note("sentAgain");
  if (JSON.stringify(second) !== JSON.stringify(first)) {
    writer.answeredDifferently(`${JSON.stringify(first)}, then ${JSON.stringify(second)}`);
  }
}

async function appendWithoutExpectation(writer: Writer): Promise<void> {
  const stream = pickStream(writer);
  const events = makeEvents(stream, writer.number, writer.random.whole(1, 5));
  await writer.attempt(events, () => writer.appendAny(stream, events));
}

/** Many appends at the same time, with and without an expected version, which share the calls of the store. */
async function appendAtTheSameTime(writer: Writer): Promise<void> {
  const appends = Array.from({ length: writer.random.whole(6, 40) }, () =>
    writer.random.happens(0.5) ? expectVersion(writer) : appendWithoutExpectation(writer),
  );
  const failure = (await Promise.allSettled(appends)).find(({ status }) => status === "rejected");
  if (failure?.status === "rejected") throw failure.reason;
}

/** Many events of many streams in one call, as the worker stores them. */
async function appendBatch(writer: Writer): Promise<void> {
  const streams = Array.from({ length: writer.random.whole(1, 20) }, () => pickStream(writer));
  const sent = streams.flatMap((stream) =>
    makeEvents(stream, writer.number, 2).map((event) => ({ stream, event })),
  );
  const events = sent.map(({ stream, event }) => stressCatalogue.completeEvent({ ...event, ...stream }));
  await writer.attempt(
    sent.map(({ event }) => event),
    async () => {
      const outcomes = await writer.store.appendBatch(events);
      return outcomes.map((outcome, index) => {
        const place = sent[index];
        if (outcome.status !== "stored" || place === undefined) {
          throw new Error(`An event of a batch was not stored: ${JSON.stringify(outcome)}`);
        }
        const { id, position, streamVersion } = outcome;
        const { aggregateType, aggregateId } = place.stream;
        return {
          id,
          position,
          type: place.event.type,
          stream: `${aggregateType}/${aggregateId}`,
          version: streamVersion,
        };
      });
    },
  );
}

/** Two streams at once, all or nothing, while a third one must not move. */
async function appendToSeveral(writer: Writer): Promise<void> {
  const [first, second, watched] = differentStreams(writer);
  const seen = (await writer.store.getStream(watched))?.streamVersion ?? 0;
  const expected = (await writer.store.getStream(first))?.streamVersion ?? 0;
  await writer.pause();
  const forFirst = makeEvents(first, writer.number, 2);
  const forSecond = makeEvents(second, writer.number, 1);
  const events = [...forFirst, ...forSecond];
  await writer.attempt(events, async () => {
    const appends = [
      { stream: first, expectedVersion: expected, events: forFirst },
      { stream: second, expectedVersion: "any" as const, events: forSecond },
    ];
    const checks = [{ stream: watched, expectedVersion: seen }];
    return written(await writer.store.appendToStreams(appends, { checks }), events);
  });
}

/**
 * A transaction of several appends with pauses before, between and after them, savepoints that are undone, refusals
 * in the middle, and at the end perhaps no commit.
 */
async function longWay(writer: Writer): Promise<void> {
  const { random, database } = writer;
  const tried: NumberedEvent[] = [];
  const undone: string[] = [];
  const isStored = await writer.attempt(tried, () =>
    database.transaction(async (transaction) => {
      const kept: WrittenEvent[] = [];
      await writer.pause(random.happens(0.05) ? "long" : "short");
      for (let steps = random.whole(1, 4); steps > 0; steps -= 1) {
        // With a lock on a counter nobody waits long: whoever pauses long does so with a diary of its own.
        const stream = random.happens(0.3) ? pickCounter(random) : pickDiary(random, writer.number);
        const events = makeEvents(stream, writer.number, random.whole(1, 4));
        tried.push(...events);
        if (random.happens(0.25)) {
          await appendInVain(writer, transaction, stream, events);
          undone.push(...events.map(({ id }) => id));
        } else if (random.happens(0.15)) {
          await expectTooMuch(writer, transaction, stream, events);
          undone.push(...events.map(({ id }) => id));
        } else {
          kept.push(...(await writer.appendAny(stream, events, transaction)));
          const isOwn = kept.every((event) => event.stream.startsWith("diary/"));
          await writer.pause(isOwn && random.happens(0.04) ? "long" : "short");
        }
      }
      if (random.happens(0.2)) throw new ChangedMind();
      return kept;
    }),
  );
  if (isStored) writer.undo(undone);
}

async function appendInVain(
  writer: Writer,
  transaction: Transaction,
  stream: StreamName,
  events: readonly NumberedEvent[],
): Promise<void> {
  const attempt = transaction.savepoint(async (savepoint) => {
    await writer.appendAny(stream, events, savepoint);
    await writer.pause();
    throw new ChangedMind();
  });
  await attempt.catch((error: unknown) => {
    if (!(error instanceof ChangedMind)) throw error;
  });
  writer.note("savepointsUndone");
}

/** A refusal must leave the transaction usable. */
async function expectTooMuch(
  writer: Writer,
  transaction: Transaction,
  stream: StreamName,
  events: readonly NumberedEvent[],
): Promise<void> {
  try {
    await writer.store.appendToStream(stream, 1_000_000_000, events, { transaction });
    writer.answeredDifferently(`${stream.aggregateId} was said to be at version 1,000,000,000`);
  } catch (error) {
    writer.refuse(error);
  }
}

/** Writes something other than events in a long transaction, for which no reader may wait. */
async function unrelatedTransaction(writer: Writer): Promise<void> {
  await writer.database.transaction(async (transaction) => {
    await transaction.query(
      `INSERT INTO synap.checkpoints (handler, "position") VALUES ($1, 0)
       ON CONFLICT (handler) DO UPDATE SET updated_at = now()`,
      [`writer ${writer.number}`],
    );
    await writer.pause("long");
  });
}

function pickStream(writer: Writer): StreamName {
  return writer.random.happens(0.5) ? pickCounter(writer.random) : pickDiary(writer.random, writer.number);
}

function differentStreams(writer: Writer): [StreamName, StreamName, StreamName] {
  const first = pickCounter(writer.random);
  let watched = pickCounter(writer.random);
  while (watched.aggregateId === first.aggregateId) watched = pickCounter(writer.random);
  return [first, pickDiary(writer.random, writer.number), watched];
}
