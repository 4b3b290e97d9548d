import { defineSink, type SinkOutcome } from "@synap/handlers";
import { type Arrived, describeSink } from "../testing/sink-contract.ts";

describeSink("a destination that keeps no checkpoint", async () => {
  const arrived: Arrived[] = [];
  return {
    sink: (options, refuses) =>
      defineSink({
        ...options,
        eventTypes: ["note.creation.completed"],
        promise: {
          destination: "memory",
          ordered: true,
          transactional: false,
          idempotent: false,
          guarantee: "at least once",
          keepsCheckpoint: false,
        },
        open: async () => ({
          checkpoint: async () => undefined,
          apply: async (events) => {
            const held = new Set<string>();
            return events.map((event): SinkOutcome => {
              if (held.has(event.aggregateId)) return { status: "waiting" };
              if (refuses(event)) {
                held.add(event.aggregateId);
                return { status: "failed", error: new RangeError("refused") };
              }
              arrived.push({ id: event.id, stream: event.aggregateId });
              return { status: "applied" };
            });
          },
          close: async () => {},
        }),
      }),
    arrived: async () => arrived,
    close: async () => {},
  };
});
