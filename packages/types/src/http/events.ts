import { z } from "zod";
import { eventInputSchema } from "../event-input.ts";
import { MAX_EVENT_BYTES } from "../event-size.ts";
import { synapEventSchema } from "../synap-event.ts";

/** One fault of an event or of a request. */
export const issue = z.object({
  path: z.string().describe("Where in the event, as in `data.tags[0]`. Empty for the whole."),
  code: z.string().describe("What kind of fault, for programs."),
  reason: z.string().describe("Why, for people."),
});

/** An event's place among all events. */
export const position = z.number().int().describe("The event's place among all events. Grows, has gaps.");

/** An event as the store gives it back. */
export const storedEvent = synapEventSchema.extend({
  position,
  streamVersion: z.number().int().describe("The event's place in its stream: 1, 2, 3 ..."),
  recordedAt: z.iso.datetime().describe("When the store took it."),
});

/** The answer for an event that was taken. */
export const acceptedEvent = z.object({ status: z.literal("accepted"), id: z.uuid() });

/** The answer for an event that is stored already. */
export const duplicateEvent = z.object({
  status: z.literal("duplicate"),
  id: z.uuid().describe("The id of the first of the events that are the same."),
  position: position.optional(),
});
const rejected = issue.extend({ status: z.literal("rejected"), issues: z.array(issue) });
const unavailable = z.object({
  status: z.literal("unavailable"),
  id: z.uuid(),
  code: z.literal("event-type-not-ready").optional().describe("Missing when the broker did not confirm."),
  reason: z.string().optional(),
});
const index = z.number().int().describe("The place of the event in the request, from 0.");

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

/** The resources of publishing and finding events, by their names in the OpenAPI document. */
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
