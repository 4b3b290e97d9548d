import { z } from "zod";
import {
  cursorParameter,
  DEFAULT_PAGE_SIZE,
  emptyBody,
  limitParameter,
  NO_NUL,
  nextCursor,
  plainText,
  type RequestSchemas,
  wholeNumber,
} from "./parameter-forms.ts";

const moment = z.iso.datetime();
const whole = z.number().int();

/** A dead letter, without its event. */
export const deadLetterSummary = z.object({
  id: whole,
  handler: z.string().describe("The handler that failed; `ingest-events` when the store refused the event."),
  eventId: z.string(),
  eventType: z.string().optional(),
  stage: z
    .enum(["handling", "storing"])
    .describe("`handling`: a handler failed on the stored event. `storing`: the store refused the event."),
  position: whole.optional().describe("Position of the event, if it is stored."),
  stream: z.object({ aggregateType: z.string(), aggregateId: z.string() }).optional(),
  code: z.string().describe("Kind of failure, for grouping."),
  reason: z.string(),
  attempts: whole,
  status: z.enum(["open", "retried", "skipped"]),
  firstFailedAt: moment,
  lastFailedAt: moment,
  parked: whole.describe("Number of events of the stream that wait behind it."),
  resolvedAt: moment.optional(),
  resolvedBy: z.string().optional(),
  resolution: z.string().optional(),
});

/** A dead letter with its event. */
export const deadLetter = deadLetterSummary.extend({
  event: z.unknown().describe("The whole event, or whatever was received instead of one."),
});

/** One page of dead letters, newest first. */
export const deadLetterPage = z.object({
  deadLetters: z.array(deadLetterSummary),
  nextCursor,
});

/** The outcome of a retry or a skip. */
export const deadLetterOutcome = z.object({
  id: whole,
  status: z.enum(["open", "retried", "skipped"]).describe("`open`: it failed again."),
  failure: z.object({ code: z.string(), reason: z.string() }).optional(),
  resolution: z.string().optional().describe("For an accepted event that had not been stored: its position."),
  released: whole.describe("Number of waiting events that were handled."),
  parked: whole.describe("Number of events that still wait."),
});

/** The outcomes of a bulk retry. */
export const deadLetterOutcomes = z.object({
  outcomes: z.array(deadLetterOutcome),
  next: whole.optional(),
  stopped: z.object({ id: whole, code: z.string(), reason: z.string() }).optional(),
});

/** The reason of a decision about a dead letter. */
export const decisionReason = z
  .string("must be a string")
  .trim()
  .min(1, "must not be empty")
  .max(1_000, "must have at most 1,000 characters")
  .refine((text) => !text.includes("\0"), "must not hold NUL")
  .meta({ pattern: "^[^\\u0000]*[^\\u0000\\s][^\\u0000]*$" });

/** The body of a skip. */
export const skipBody = z.strictObject({
  reason: decisionReason.describe("The reason for skipping the event; stored with the dead letter."),
});

const MAX_RETRIED = 100;
/** The name of a handler, or a code, in a body. */
export const nameInBody = z
  .string("must be a string")
  .min(1)
  .max(128)
  .refine((text) => !text.includes("\0"), "must not hold NUL")
  .meta({ pattern: NO_NUL });

/** The body of a bulk retry. */
export const retryBody = z.strictObject({
  handler: nameInBody
    .optional()
    .describe(
      "Dead letters of this handler; those of `ingest-events` are accepted events that are not stored.",
    ),
  code: nameInBody.optional().describe("Dead letters with this code, for example `unknown-event-type`."),
  after: z
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe("Dead letters with a higher number: `next` of the previous call."),
  limit: z
    .int()
    .min(1)
    .max(MAX_RETRIED)
    .optional()
    .describe(`Maximum number, 1 to ${MAX_RETRIED}, which is the default.`),
});

const deadLetterId = wholeNumber(1, Number.MAX_SAFE_INTEGER).describe("The dead letter's id.");

/** The path of one dead letter. */
export const deadLetterPath = z.object({ id: deadLetterId });

/** The filter and the page of a list of dead letters. */
export const deadLetterQuery = z.strictObject({
  handler: plainText(128).optional().describe("Dead letters of this handler."),
  status: z
    .enum(["open", "retried", "skipped"], 'must be "open", "retried" or "skipped"')
    .optional()
    .describe("`open`: not resolved yet. `retried`, `skipped`: resolved that way."),
  aggregateType: plainText(64).optional().describe("Dead letters of streams of this type."),
  aggregateId: plainText(128).optional().describe("Dead letters of streams with this id."),
  limit: limitParameter(DEFAULT_PAGE_SIZE),
  cursor: cursorParameter,
});

/** Request schemas of the operations on dead letters, by operationId. */
export const DEAD_LETTER_REQUESTS = {
  listDeadLetters: { query: deadLetterQuery },
  getDeadLetter: { params: deadLetterPath },
  retryDeadLetters: { body: retryBody },
  retryDeadLetter: { params: deadLetterPath, body: emptyBody },
  skipDeadLetter: { params: deadLetterPath, body: skipBody },
} as const satisfies Record<string, RequestSchemas>;

/** The resources of dead letters, by their names in the OpenAPI document. */
export const DEAD_LETTER_RESOURCES = {
  DeadLetter: deadLetter,
  DeadLetterPage: deadLetterPage,
  DeadLetterOutcome: deadLetterOutcome,
  DeadLetterOutcomes: deadLetterOutcomes,
} as const satisfies Record<string, z.ZodType>;
