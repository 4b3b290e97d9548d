import { z } from "zod";
import { eventInputSchema } from "../event-input.ts";
import { MAX_EVENT_BYTES } from "../event-size.ts";
import { synapEventSchema } from "../synap-event.ts";

/** One fault of an event or of a request. */
export const issue = z.object({
  path: z.string().describe("Path in the event, for example `data.tags[0]`. Empty for the event itself."),
  code: z.string().describe("Kind of fault, for programs."),
  reason: z.string().describe("Explanation, for people."),
});

/** The position of an event among all events. */
export const position = z.number().int().describe("Position in the log: increases, with gaps.");

/** An event as the store returns it. */
export const storedEvent = synapEventSchema.extend({
  position,
  streamVersion: z.number().int().describe("Version in the stream: 1, 2, 3 ..."),
  recordedAt: z.iso.datetime().describe("When it was stored."),
});

/** The answer for an accepted event. */
export const acceptedEvent = z.object({ status: z.literal("accepted"), id: z.uuid() });

/** The answer for an event that is already stored. */
export const duplicateEvent = z.object({
  status: z.literal("duplicate"),
  id: z.uuid().describe("The id of the event that was stored first."),
  position: position.optional(),
});
const rejected = issue.extend({ status: z.literal("rejected"), issues: z.array(issue) });
const unavailable = z.object({
  status: z.literal("unavailable"),
  id: z.uuid(),
  code: z.literal("event-type-not-ready").optional().describe("Absent when the broker did not confirm."),
  reason: z.string().optional(),
});
const index = z.number().int().describe("Index of the event in the request, from 0.");

/** The outcome of one event of a batch. */
export const batchResult = z.union([
  acceptedEvent.extend({ index }),
  duplicateEvent.extend({ index }),
  rejected.extend({ index }),
  unavailable.extend({ index }),
]);

/** The outcome of a batch, one result for each event in the order of the request. */
export const batchResults = z.object({ results: z.array(batchResult) });

/** One page of stored events. */
export const eventPage = z.object({
  events: z.array(storedEvent),
  nextCursor: z.string().optional(),
  previousCursor: z.string().optional(),
});

/** The resources of publishing and querying events, by their names in the OpenAPI document. */
export const EVENT_RESOURCES = {
  EventInput: eventInputSchema.describe(
    `At most ${MAX_EVENT_BYTES} bytes as JSON in UTF-8 without spaces, numbers written out in full; else 413 \`event-too-large\`.`,
  ),
  EventBatch: z.union([z.array(eventInputSchema), z.strictObject({ events: z.array(eventInputSchema) })]),
  StoredEvent: storedEvent,
  EventPage: eventPage,
  AcceptedEvent: acceptedEvent,
  DuplicateEvent: duplicateEvent,
  BatchResults: batchResults,
} as const satisfies Record<string, z.ZodType>;
