import { z } from "zod";
import { deadLetterOutcome, decisionReason, nameInBody } from "./dead-letters.ts";
import { eventPath, position, storedEvent } from "./events.ts";
import {
  cursorParameter,
  DEFAULT_PAGE_SIZE,
  limitParameter,
  nextCursor,
  plainText,
  type RequestSchemas,
} from "./parameter-forms.ts";

const moment = z.iso.datetime();
const whole = z.number().int();

/** The state of an event for one handler or build of a projection. */
export const handlerProcessing = z.object({
  handler: z.string().describe("The handler, or the build of a projection: `tasks-view/2`."),
  projection: z.string().optional().describe("The projection, if this is a build of one."),
  role: z.enum(["live", "building", "previous"]).optional().describe("The role of that build."),
  mode: z
    .enum(["inline", "async"])
    .optional()
    .describe("Absent for a handler that the answering process does not have."),
  state: z
    .enum(["pending", "done", "parked", "failed", "skipped"])
    .describe(
      "`pending`: the handler has not reached the event. `parked`: it waits behind an earlier event of its stream that " +
        "failed. `failed`: it is tried again, or waits as a dead letter. `skipped`: an operator has decided so.",
    ),
  processingError: z
    .string()
    .optional()
    .describe(
      "Reason of the last failure, at most 1,000 characters: of this event or, while it is pending, of the handler.",
    ),
  code: z.string().optional().describe("Kind of failure, for grouping."),
  attempts: whole.optional(),
  firstFailedAt: moment.optional(),
  lastFailedAt: moment.optional(),
  nextAttemptAt: moment
    .optional()
    .describe("Time of the next attempt, if the handler tries again by itself."),
  deadLetter: whole
    .optional()
    .describe("The dead letter of the event or, while it is parked, the one that it waits behind."),
  resolvedAt: moment.optional(),
  resolvedBy: z.string().optional(),
  resolution: z.string().optional().describe("The reason of the retry or skip."),
});

const handlers = z
  .array(handlerProcessing)
  .describe("One entry for each handler and build that consumes the event's type.");

/** The state of an event for each handler. */
export const eventProcessing = z.object({
  eventId: z.uuid(),
  type: z.string(),
  position,
  processed: z.boolean().describe("True if no handler has the event pending, parked or failed."),
  handlers,
});

/** The state of an event after a retry or a skip. */
export const processingChange = eventProcessing.extend({
  outcome: deadLetterOutcome.describe("The outcome for the event's dead letter."),
});

/** One page of unprocessed events, in the order of positions. */
export const unprocessedEvents = z.object({
  events: z.array(storedEvent.extend({ processing: handlers })),
  nextCursor,
});

/** The filter and the page of a list of unprocessed events. */
export const unprocessedQuery = z.strictObject({
  handler: plainText(128)
    .optional()
    .describe("Events that this handler, or build of a projection, has not processed."),
  type: plainText(128).optional().describe("Events of this type."),
  state: z
    .enum(["pending", "parked", "failed"], 'must be "pending", "parked" or "failed"')
    .optional()
    .describe("Events in this state. Default: in any of the three."),
  limit: limitParameter(DEFAULT_PAGE_SIZE),
  cursor: cursorParameter,
});

const handler = nameInBody.describe("The handler, or the build of a projection, that failed on the event.");

/** The body of a decision about an event that a handler failed on. */
export const processingBody = z.discriminatedUnion(
  "action",
  [
    z.strictObject({
      action: z.enum(["retry"]),
      handler,
      reason: decisionReason.optional().describe("The reason; stored with the dead letter."),
    }),
    z.strictObject({
      action: z.enum(["skip"]),
      handler,
      reason: decisionReason.describe("The reason for skipping the event; stored with the dead letter."),
    }),
  ],
  'must have "action": "retry" or "skip"',
);

/** Request schemas of the operations on the processing of events, by operationId. */
export const PROCESSING_REQUESTS = {
  listUnprocessedEvents: { query: unprocessedQuery },
  getEventProcessing: { params: eventPath },
  changeEventProcessing: { params: eventPath, body: processingBody },
} as const satisfies Record<string, RequestSchemas>;

/** The resources of the processing of events, by their names in the OpenAPI document. */
export const PROCESSING_RESOURCES = {
  EventProcessing: eventProcessing,
  ProcessingChange: processingChange,
  UnprocessedEvents: unprocessedEvents,
} as const satisfies Record<string, z.ZodType>;
