import { createSynapEvent, type SynapEvent } from "@synap/types";
import { type Story, stories } from "./stories.ts";

/** Description of the events to make. */
export interface EventPlan {
  /** Number of events. */
  readonly count: number;
  /** Over how many streams they are spread, in turn: 1, 100 ...; "new" starts a stream with every event. */
  readonly streams: number | "new";
  /** The number of the first event. Give the count of those made before, and the streams go on. Default 0. */
  readonly first?: number | undefined;
  /** Begins the names of the streams, so that two measurements in one database do not meet. Default "bench". */
  readonly lane?: string | undefined;
  /**
   * Spreads the timestamps evenly: from `from`, below `to`, over the events of this call. Default: all now. Mind the
   * live window of the store's reader (seven days back, by default) when they go through the API.
   */
  readonly span?: { readonly from: Date; readonly to: Date } | undefined;
}

/**
 * Makes valid events of the seed catalogue: eight types of four aggregates, 300 to 400 bytes of data each.
 *
 * The same plan gives the same streams, types and data each time; ids are fresh, and so are timestamps without a
 * span. Each event is checked in full (about 30 microseconds), so make them outside of what is timed.
 */
export function makeEvents(plan: EventPlan): SynapEvent[] {
  const { count, streams, first = 0, lane = "bench", span } = plan;
  const now = Date.now();
  const from = span?.from.getTime() ?? now;
  const step = span === undefined ? 0 : (span.to.getTime() - from) / count;
  return Array.from({ length: count }, (_, place) => {
    const index = first + place;
    const stream = streams === "new" ? index : index % streams;
    const story = storyOf(stream);
    const opens = index === stream;
    return createSynapEvent({
      ...(opens ? story.opening(index, stream) : story.following(index, stream)),
      aggregateType: story.aggregateType,
      aggregateId: `${lane}-${stream}`,
      userId: `user-${stream % 1_000}`,
      source: "bench",
      timestamp: new Date(from + step * place).toISOString(),
    });
  });
}

function storyOf(stream: number): Story {
  return stories[stream % stories.length] ?? stories[0];
}
