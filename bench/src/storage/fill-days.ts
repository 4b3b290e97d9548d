import type { EventStore } from "@synap/database";
import type { SynapEvent } from "@synap/types";
import { appendAll } from "../append/append-all.ts";
import { makeEvents } from "../events/make-events.ts";

/** Amount of events to store. */
export interface DaysPlan {
  /** Full days, one chunk each; the last one ended ten days ago, so no live event comes for any of them. */
  readonly days: number;
  /** A multiple of 1,000. */
  readonly eventsADay: number;
}

export const DAY_MS = 86_400_000;
const BATCH = 1_000;
/** Events of a brief stream, all on one day. */
const BRIEF = 10;

/** Two streams of 1,000 events: one that was busy for half of the second day, and one that lasted all days. */
export const longStreams = {
  busy: { aggregateType: "order", aggregateId: "busy-0" },
  lasting: { aggregateType: "order", aggregateId: "lasting-0" },
} as const;
export const LONG = 1_000;

/** When the first day begins, for so many days. */
export function firstMoment({ days }: DaysPlan): number {
  return (Math.floor(Date.now() / DAY_MS) - 10 - days) * DAY_MS;
}

/**
 * Fills the days through the store itself, in the order of time and in batches of 1,000: brief streams of ten events,
 * and the two long ones beside them. Four events in a row belong to one flow (correlation id).
 *
 * @returns how many events were stored
 */
export async function fillDays(
  store: EventStore,
  plan: DaysPlan,
  onBatch: (share: number) => void,
  signal: AbortSignal,
): Promise<number> {
  const total = plan.days * plan.eventsADay;
  const begin = firstMoment(plan);
  const pace = DAY_MS / plan.eventsADay;
  let stored = 0;
  for (let first = 0; first < total; first += BATCH) {
    signal.throwIfAborted();
    const day = Math.floor(first / plan.eventsADay);
    const span = { from: new Date(begin + first * pace), to: new Date(begin + (first + BATCH) * pace) };
    const brief = makeEvents({
      count: BATCH,
      streams: plan.eventsADay / BRIEF,
      first: first % plan.eventsADay,
      lane: `brief-${day}`,
      span,
    });
    // The second day's first half is shared out among its batches, and all days among all.
    const half = { from: plan.eventsADay, to: plan.eventsADay * 1.5 };
    const events = [
      ...brief,
      ...partOf("busy", first, half, span),
      ...partOf("lasting", first, { from: 0, to: total }, span),
    ];
    await appendAll(store, events.map(withFlow(first)), { timestamps: "backfill" });
    stored += events.length;
    onBatch((first + BATCH) / total);
  }
  return stored;
}

/** Those of a long stream's events that lie in this batch. */
function partOf(
  lane: "busy" | "lasting",
  first: number,
  within: { from: number; to: number },
  span: { from: Date; to: Date },
): SynapEvent[] {
  if (first < within.from || first >= within.to) return [];
  const batches = (within.to - within.from) / BATCH;
  const batch = (first - within.from) / BATCH;
  const from = Math.round((LONG * batch) / batches);
  const to = Math.round((LONG * (batch + 1)) / batches);
  return makeEvents({ count: to - from, streams: 1, first: from, lane, span });
}

function withFlow(first: number) {
  return (event: SynapEvent, index: number): SynapEvent => ({
    ...event,
    correlationId: `flow-${Math.floor((first + index) / 4)}`,
  });
}
