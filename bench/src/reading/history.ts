/** A day of the history: as many events as fill one chunk. */
export const EVENTS_A_DAY = 10_000;
/** Events of one append. */
export const EVENTS_AN_APPEND = 100;
/** Streams that are written in turn; each is the place of an event modulo this number. */
export const STREAMS_A_DAY = 1_000;
export const DAY_MS = 86_400_000;

/** The moment before which the history begins: a thousand days ago, so that its newest events are of yesterday. */
export const HISTORY_BEGINS = Math.floor(Date.now() / DAY_MS - 1_000) * DAY_MS;
/** Between one event and the next. */
export const PACE_MS = DAY_MS / EVENTS_A_DAY;

/** Streams of 1,000 events that differ in how long they lived, hence in how many chunks they lie. */
export const longStreams = {
  /** All on one day; one such stream every day. */
  busy: (day: number) => ({ aggregateType: "task", aggregateId: `busy-${day}` }),
  /** Ten events a day for 100 days. */
  lasting: (day: number) => ({ aggregateType: "order", aggregateId: `lasting-${Math.floor(day / 100)}` }),
  /** One event a day from the first day to the last. */
  lifelong: { aggregateType: "customer", aggregateId: "lifelong" },
} as const;

/** An ordinary stream: ten events on one day. */
export function briefStream(day: number): { aggregateType: string; aggregateId: string } {
  return { aggregateType: "open_loop", aggregateId: `brief-${day}-502` };
}

/** The position of the event number `index` of the history, counted from 0. */
export function positionOf(index: number): number {
  return (1 + Math.floor(index / EVENTS_AN_APPEND)) * 1_024 + (index % EVENTS_AN_APPEND);
}

/** When the event number `index` happened, in milliseconds since 1970. */
export function momentOf(index: number): number {
  return HISTORY_BEGINS + index * PACE_MS;
}
