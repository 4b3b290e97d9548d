import type { EventStore } from "../event-store.ts";
import { type ReadPoint, raisePoint } from "./read-point.ts";

/** The same store, whose appends raise a point, so that reads with the point see them. */
export function withOwnAppends(store: EventStore, point: ReadPoint): EventStore {
  return {
    ...store,
    async append(event, options) {
      const outcome = await store.append(event, options);
      if (outcome.status !== "rejected") raisePoint(point, outcome.position);
      return outcome;
    },
    async appendBatch(events, options) {
      const outcomes = await store.appendBatch(events, options);
      for (const outcome of outcomes) if (outcome.status !== "rejected") raisePoint(point, outcome.position);
      return outcomes;
    },
    async appendToStream(...append) {
      const result = await store.appendToStream(...append);
      raisePoint(point, result.position);
      return result;
    },
    async appendToStreams(...append) {
      const results = await store.appendToStreams(...append);
      for (const { position } of results) raisePoint(point, position);
      return results;
    },
  };
}
