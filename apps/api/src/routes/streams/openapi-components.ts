import { eventInputSchema } from "@synap/types";
import { z } from "zod";
import { expectedVersion, streamPath } from "./stream-parameters.ts";

const position = z.number().int().describe("The event's place among all events. Grows, has gaps.");
const streamVersion = z.number().int().describe("The version of the stream's last event.");

/** The forms of the stream routes' bodies and answers. `storedEvent` is the form of an event. */
export function streamComponents(storedEvent: z.ZodType): Record<string, z.ZodType> {
  const closedAt = z.iso.datetime();
  return {
    StreamAppend: z.strictObject({
      events: z
        .array(eventInputSchema.omit({ aggregateType: true, aggregateId: true }))
        .min(1)
        .max(1024),
      expectedVersion: expectedVersion.optional(),
    }),
    StreamAppended: z.object({
      stream: streamPath,
      streamVersion,
      position,
      events: z.array(
        z.object({
          id: z.uuid(),
          position,
          streamVersion,
          duplicate: z.boolean().describe("It was stored before, by an earlier append of the same event."),
        }),
      ),
    }),
    StreamPage: z.object({
      stream: streamPath,
      streamVersion,
      closedAt: closedAt.optional().describe("When the stream was closed."),
      events: z.array(storedEvent),
    }),
    ClosedStream: z.object({ stream: streamPath, streamVersion, closedAt }),
  };
}
