import { MAX_PAGE_BYTES } from "../reading/page-bytes.ts";
import type { ReadAllPage, ReadAllRequest } from "../reading/read-all.ts";
import type { EventBatch, SubscriptionRequest } from "./subscription.ts";
import { createWakeUp } from "./wake-up.ts";

/** What a subscription reads from: any store that can read on, and says when something may be new. */
export interface SubscriptionSource {
  readonly readAll: (request: ReadAllRequest) => Promise<ReadAllPage>;
  /** Calls back whenever something may be new. Resolves, once it does, with a function that ends it. */
  readonly listen: (onAppend: () => void) => Promise<() => Promise<void>>;
}

const DEFAULT_BATCH = 500;
const DEFAULT_POLL_MS = 1_000;
/**
 * After a wake-up, the first look that found nothing is repeated soon: what woke us may be held back by an append that
 * is rolled back a moment later, which wakes nobody.
 */
const FIRST_POLL_MS = 20;
/** How often a subscriber without news gets the position it has reached. */
const PROGRESS_MS = 5_000;

/**
 * The events after a position, and then those that come. Nothing is read until the batch before it was taken, so a slow
 * subscriber holds nothing but its batch.
 * @throws RangeError for a batch size, a poll interval or a position out of bounds, at once.
 */
export function subscribeToAll(
  source: SubscriptionSource,
  request: SubscriptionRequest,
): AsyncIterable<EventBatch> {
  checkRequest(request);
  const start = beginning(source, request);
  // Whoever iterates gets to know of a failure; whoever does not, does not care.
  start.catch(() => {});
  return { [Symbol.asyncIterator]: () => follow(source, request, start) };
}

function checkRequest({
  from,
  batchSize = DEFAULT_BATCH,
  maxBatchBytes = MAX_PAGE_BYTES,
  pollInterval = DEFAULT_POLL_MS,
}: SubscriptionRequest): void {
  if (typeof from === "number" && !(Number.isSafeInteger(from) && from >= 0)) {
    throw new RangeError(`A subscription begins after a position, a whole number from 0, not ${from}.`);
  }
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > 10_000) {
    throw new RangeError(`A batch holds 1 to 10000 events, not ${batchSize}.`);
  }
  if (!Number.isInteger(maxBatchBytes) || maxBatchBytes < 1 || maxBatchBytes > MAX_PAGE_BYTES) {
    throw new RangeError(`A batch holds 1 to ${MAX_PAGE_BYTES} bytes, not ${maxBatchBytes}.`);
  }
  if (!(pollInterval >= 1 && pollInterval <= 2 ** 31 - 1)) {
    throw new RangeError(`A poll interval is 1 millisecond or more, not ${pollInterval}.`);
  }
}

async function beginning(source: SubscriptionSource, { from, turns }: SubscriptionRequest): Promise<number> {
  if (from === "start") return 0;
  if (from !== "now") return from;
  const end = { after: Number.MAX_SAFE_INTEGER, limit: 1 };
  const { watermark } = await (turns === undefined ? source.readAll(end) : turns.read(end, source.readAll));
  return watermark;
}

async function* follow(
  source: SubscriptionSource,
  request: SubscriptionRequest,
  start: Promise<number>,
): AsyncGenerator<EventBatch, void, void> {
  const { types, aggregateType, stream, signal, turns, batchSize = DEFAULT_BATCH, maxBatchBytes } = request;
  const pollInterval = request.pollInterval ?? DEFAULT_POLL_MS;
  const isAborted = () => signal?.aborted === true;
  if (isAborted()) return;
  let position = await start;
  const wakeUp = createWakeUp();
  signal?.addEventListener("abort", wakeUp.wake);
  // Listening comes before the first look: what is stored between the two wakes us.
  const stop = await source.listen(wakeUp.wake);
  try {
    let sent = { position: -1, at: 0 };
    let pause = FIRST_POLL_MS;
    while (!isAborted()) {
      const next = {
        after: position,
        limit: batchSize,
        maxBytes: maxBatchBytes,
        types,
        aggregateType,
        stream,
      };
      const page = await (turns === undefined ? source.readAll(next) : turns.read(next, source.readAll));
      position = page.position;
      const isNews =
        page.events.length > 0 ||
        sent.position < 0 ||
        !page.caughtUp ||
        (position > sent.position && performance.now() - sent.at >= PROGRESS_MS);
      if (isNews) {
        yield { events: page.events, position, caughtUp: page.caughtUp };
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
