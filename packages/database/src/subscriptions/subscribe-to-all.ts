import { MAX_PAGE_BYTES } from "../reading/page-bytes.ts";
import { fieldConditions, type ReadAllPage, type ReadAllRequest } from "../reading/read-all.ts";
import type { EventBatch, SubscriptionRequest } from "./subscription.ts";
import { createWakeUp } from "./wake-up.ts";

/** Source of a subscription: reads pages of the log, and notifies of appends. */
export interface SubscriptionSource {
  readonly readAll: (request: ReadAllRequest) => Promise<ReadAllPage>;
  /** Calls back after appends. Resolves once it listens, with a function that stops it. */
  readonly listen: (onAppend: () => void) => Promise<() => Promise<void>>;
  /** Names the rows that are shown, if not every one. */
  readonly shown?: string | undefined;
}

/** The read whose watermark is the end of the log. */
export const END_OF_LOG: ReadAllRequest = { after: Number.MAX_SAFE_INTEGER, limit: 1 };

const DEFAULT_BATCH = 500;
const DEFAULT_POLL_MS = 1_000;
/**
 * Delay of the first poll after a read that found nothing, in milliseconds. It is short because the events of a notification
 * may be held back by an unfinished append, whose rollback sends no notification.
 */
const FIRST_POLL_MS = 20;
/** Interval at which a subscriber without events receives its position, in milliseconds. */
const PROGRESS_MS = 5_000;

/**
 * Iterates over the events after a position and then over new ones. A batch is read only when it is requested, so a slow
 * subscriber holds one batch in memory.
 * @throws RangeError for a batch size, a poll interval or a position out of bounds.
 */
export function subscribeToAll(
  source: SubscriptionSource,
  request: SubscriptionRequest,
): AsyncIterable<EventBatch> {
  checkRequest(request);
  const start = resolveStart(source, request);
  // Iterating throws the error; without this, not iterating would be an unhandled rejection.
  start.catch(() => {});
  return { [Symbol.asyncIterator]: () => follow(source, request, start) };
}

function checkRequest(request: SubscriptionRequest): void {
  const {
    from,
    batchSize = DEFAULT_BATCH,
    maxBatchBytes = MAX_PAGE_BYTES,
    pollInterval = DEFAULT_POLL_MS,
  } = request;
  fieldConditions(request);
  if (typeof from === "number" && !(Number.isSafeInteger(from) && from >= 0)) {
    throw new RangeError(`A subscription must begin after a position, a whole number from 0, not ${from}.`);
  }
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > 10_000) {
    throw new RangeError(`batchSize must be 1 to 10000 events, not ${batchSize}.`);
  }
  if (!Number.isInteger(maxBatchBytes) || maxBatchBytes < 1 || maxBatchBytes > MAX_PAGE_BYTES) {
    throw new RangeError(`maxBatchBytes must be 1 to ${MAX_PAGE_BYTES}, not ${maxBatchBytes}.`);
  }
  if (!(pollInterval >= 1 && pollInterval <= 2 ** 31 - 1)) {
    throw new RangeError(`pollInterval must be 1 ms or more, not ${pollInterval}.`);
  }
}

async function resolveStart(
  source: SubscriptionSource,
  { from, readLimiter }: SubscriptionRequest,
): Promise<number> {
  if (from === "start") return 0;
  if (from !== "now") return from;
  const { watermark } = await (readLimiter === undefined
    ? source.readAll(END_OF_LOG)
    : readLimiter.read(END_OF_LOG, source.readAll, source.shown));
  return watermark;
}

async function* follow(
  source: SubscriptionSource,
  request: SubscriptionRequest,
  start: Promise<number>,
): AsyncGenerator<EventBatch, void, void> {
  const {
    types,
    stream,
    signal,
    readLimiter,
    batchSize = DEFAULT_BATCH,
    maxBatchBytes,
    pollInterval = DEFAULT_POLL_MS,
  } = request;
  const conditions = { types, stream, ...fieldConditions(request) };
  const isAborted = () => signal?.aborted === true;
  if (isAborted()) return;
  let position = await start;
  const wakeUp = createWakeUp();
  signal?.addEventListener("abort", wakeUp.wake);
  // Listening comes before the first read, so that an append in between wakes the subscription.
  const stop = await source.listen(wakeUp.wake);
  try {
    let sent = { position, at: Number.NEGATIVE_INFINITY };
    let pause = FIRST_POLL_MS;
    while (!isAborted()) {
      const next = { after: position, limit: batchSize, maxBytes: maxBatchBytes, ...conditions };
      const page = await (readLimiter === undefined
        ? source.readAll(next)
        : readLimiter.read(next, source.readAll, source.shown));
      position = page.position;
      const isNews =
        page.events.length > 0 ||
        sent.at === Number.NEGATIVE_INFINITY ||
        !page.caughtUp ||
        (position > sent.position && performance.now() - sent.at >= PROGRESS_MS);
      if (isNews) {
        const { events, caughtUp, watermark } = page;
        yield { after: sent.position, events, position, caughtUp, watermark };
        sent = { position, at: performance.now() };
      }
      if (!page.caughtUp) continue;
      const rest = await wakeUp.sleep(Math.min(pause, pollInterval));
      pause = rest === "woken" ? FIRST_POLL_MS : pause * 2;
    }
  } finally {
    signal?.removeEventListener("abort", wakeUp.wake);
    await stop();
  }
}
