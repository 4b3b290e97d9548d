import { z } from "zod";

const moment = z.iso.datetime();
const whole = z.number().int();

const deadLetter = z.object({
  id: whole,
  handler: z.string().describe("The handler that failed; `ingest-events` when the store refused the event."),
  eventId: z.string(),
  eventType: z.string().optional(),
  position: whole.optional().describe("Where the event is stored, if it is."),
  stream: z.object({ aggregateType: z.string(), aggregateId: z.string() }).optional(),
  code: z.string().describe("What kind of failure, to group by."),
  reason: z.string(),
  attempts: whole,
  status: z.enum(["open", "retried", "skipped"]),
  firstFailedAt: moment,
  lastFailedAt: moment,
  parked: whole.describe("How many events of the stream wait behind it."),
  resolvedAt: moment.optional(),
  resolvedBy: z.string().optional(),
  resolution: z.string().optional(),
});

/** The forms of the admin routes' answers, for the OpenAPI document. */
export const ADMIN_COMPONENTS: Readonly<Record<string, z.ZodType>> = {
  AdminStatus: z.looseObject({
    release: z.string(),
    engine: z.string(),
    events: z.looseObject({
      watermark: whole,
      watermarkHolder: z
        .looseObject({ pid: whole, query: z.string(), state: z.string(), ageMs: whole })
        .optional()
        .describe("The session that holds the watermark back."),
    }),
    handlers: z.array(
      z.looseObject({
        name: z.string(),
        mode: z.enum(["inline", "async"]).optional(),
        description: z.string().optional(),
        checkpoint: whole.optional(),
        lag: whole.optional(),
        deadLetters: whole.describe("Open ones."),
        parkedEvents: whole.describe("Events that wait behind them."),
      }),
    ),
  }),
  DeadLetter: deadLetter.extend({ event: z.unknown().describe("Whole, whatever it is.") }),
  DeadLetterPage: z.object({ deadLetters: z.array(deadLetter), nextCursor: z.string().optional() }),
  DeadLetterOutcome: z.object({
    id: whole,
    status: z.enum(["open", "retried", "skipped"]).describe("`open`: it failed again."),
    failure: z.object({ code: z.string(), reason: z.string() }).optional(),
    released: whole.describe("How many events that waited behind it were handled."),
    parked: whole.describe("How many still wait."),
  }),
};
