import { type RepeatedEvent, withTimeLimit } from "@synap/database/internal";
import type { SynapEvent } from "@synap/types";
import type { Logger } from "pino";

/** The stored event that each event repeats, in the same order. */
export type Repetitions = readonly (RepeatedEvent | undefined)[];

/** Finds the events that are already stored. Never rejects: if the query fails, no event counts as a duplicate. */
export type DuplicateLookup = (events: readonly SynapEvent[]) => Promise<Repetitions>;

/** Default time limit of a query. It can be short, because the store keeps every event once whatever this look-up finds. */
const PATIENCE_MS = 500;
/** Pause after a failure, so that requests are not slowed down while the database is away. */
const PAUSE_MS = 1_000;
/** Number of events in a query. */
const MAX_EVENTS = 5_000;

interface Waiting {
  readonly events: readonly SynapEvent[];
  readonly resolve: (found: Repetitions) => void;
}

/**
 * Creates a look-up that runs one query at a time and batches the events that arrive meanwhile, so that a hundred single
 * posts cost a few queries. Best effort: while the database is unavailable or slow it finds nothing, so the event is
 * accepted, and the store recognises the duplicate later.
 *
 * @param patienceMs time limit of a query, in milliseconds. Default: 500
 * @param now a monotonic clock, in milliseconds
 */
export function createDuplicateLookup(
  find: DuplicateLookup,
  logger: Logger,
  {
    patienceMs = PATIENCE_MS,
    now = () => performance.now(),
  }: { patienceMs?: number | undefined; now?: () => number } = {},
): DuplicateLookup {
  let waiting: Waiting[] = [];
  let isAsking = false;
  let pausedUntil = Number.NEGATIVE_INFINITY;

  async function ask(asked: readonly Waiting[]): Promise<void> {
    let found: Repetitions = [];
    try {
      const searched = asked.flatMap(({ events }) => events);
      found = await withTimeLimit(find(searched), patienceMs, () => {
        throw new Error(`no response within ${patienceMs} ms`);
      });
    } catch (error) {
      pausedUntil = now() + PAUSE_MS;
      logger.warn({ err: error }, "The look-up of duplicates failed; events are accepted without it");
    }
    let start = 0;
    for (const { events, resolve } of asked) {
      resolve(found.slice(start, start + events.length));
      start += events.length;
    }
  }

  async function askOn(): Promise<void> {
    if (isAsking) return;
    isAsking = true;
    while (waiting.length > 0) {
      const asked = takeSome(waiting);
      waiting = waiting.slice(asked.length);
      await ask(asked);
    }
    isAsking = false;
  }

  return (events) => {
    if (events.length === 0 || now() < pausedUntil) return Promise.resolve([]);
    return new Promise((resolve) => {
      waiting.push({ events, resolve });
      // Deferred to the end of this turn of the event loop, so that requests that arrived together share a query.
      setImmediate(askOn);
    });
  };
}

function takeSome(waiting: readonly Waiting[]): Waiting[] {
  const taken: Waiting[] = [];
  let count = 0;
  for (const one of waiting) {
    if (taken.length > 0 && count + one.events.length > MAX_EVENTS) break;
    taken.push(one);
    count += one.events.length;
  }
  return taken;
}
