import { z } from "zod";
import { handlerRetry } from "../handler-retry.ts";

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

const state = z.enum(["running", "paused", "rebuilding", "failed", "unfed"]);
const build = z.object({
  build: whole,
  version: whole,
  role: z.enum(["live", "building", "previous"]),
  feed: z.enum(["async", "inline"]),
  state,
  checkpoint: whole,
  segments: z.array(whole).describe("Each segment's checkpoint."),
  lagEvents: whole.describe("Stored events behind the checkpoint, of whatever type."),
  lagSeconds: z.number().describe("How long the first of them has been waiting."),
  progress: z.number().describe("The part of all events that it has passed, 0 to 1."),
  openDeadLetters: whole,
  parkedEvents: whole,
  failure: z.string().optional().describe("What stopped its last pass."),
  createdAt: moment,
  liveSince: moment.optional(),
  changedBy: z.string().optional(),
});
const projection = z.object({
  name: z.string(),
  description: z.string().optional(),
  mode: z.enum(["inline", "async"]).optional(),
  state: z.union([state, z.literal("not built")]),
  newestVersion: whole.optional().describe("The newest version that this process has."),
  builds: z.array(build),
});
const difference = z.object({
  table: z.string(),
  onlyInOld: whole,
  onlyInNew: whole,
  different: whole.describe("Rows that both have, with other values."),
  columnsNotCompared: z.array(z.string()),
  examples: z.array(z.string()).describe("Keys of a few rows that differ, as JSON."),
});

const deadLetterOutcome = z.object({
  id: whole,
  status: z.enum(["open", "retried", "skipped"]).describe("`open`: it failed again."),
  failure: z.object({ code: z.string(), reason: z.string() }).optional(),
  resolution: z
    .string()
    .optional()
    .describe("Of an accepted event that was not stored: where it is now, or that it was stored already."),
  released: whole.describe("How many events that waited behind it were handled."),
  parked: whole.describe("How many still wait."),
});

/** The forms of the admin routes' answers, for the OpenAPI document. */
export const ADMIN_COMPONENTS: Readonly<Record<string, z.ZodType>> = {
  AdminStatus: z.looseObject({
    release: z.string(),
    engine: z.string(),
    events: z.looseObject({
      watermark: whole,
      watermarkHolder: z
        .looseObject({ pid: whole, login: z.string(), query: z.string(), state: z.string(), ageMs: whole })
        .optional()
        .describe("The session that holds the watermark back."),
      foreignLocks: z
        .array(z.looseObject({ pid: whole, login: z.string(), applicationName: z.string(), locks: whole }))
        .optional()
        .describe("Sessions of strangers with advisory locks of the store. They hold nobody back."),
    }),
    lockHolders: z
      .array(
        z.looseObject({
          pid: whole,
          login: z.string(),
          query: z.string(),
          state: z.string(),
          ageMs: whole,
          waiting: whole,
        }),
      )
      .optional()
      .describe("The sessions for whose locks others wait, and how many do."),
    connections: z
      .array(
        z.looseObject({
          purpose: z.enum(["reads", "writes", "all"]),
          max: whole,
          busy: whole,
          waiting: whole,
        }),
      )
      .describe("The connections to a server; none on the embedded engine."),
    handlers: z.array(
      z.looseObject({
        name: z.string(),
        mode: z.enum(["inline", "async"]).optional(),
        description: z.string().optional(),
        checkpoint: whole.optional(),
        lag: whole.optional(),
        deadLetters: whole.describe("Open ones."),
        parkedEvents: whole.describe(
          "Events that wait: behind dead letters, or for one that is tried again.",
        ),
        retrying: handlerRetry.extend({ reason: z.string() }).optional(),
      }),
    ),
  }),
  DeadLetter: deadLetter.extend({ event: z.unknown().describe("Whole, whatever it is.") }),
  DeadLetterPage: z.object({ deadLetters: z.array(deadLetter), nextCursor: z.string().optional() }),
  Projections: z.object({ projections: z.array(projection) }),
  Projection: projection,
  ProjectionBuild: build,
  ProjectionComparison: z.object({
    projection: z.string(),
    rows: whole.describe("Rows that differ in all tables together."),
    differences: z.array(difference),
  }),
  ProjectionCutover: z.object({
    projection: z.string(),
    liveBuild: whole,
    liveVersion: whole,
    previousBuild: whole.describe("Kept, and fed, for a rollback."),
    lagEvents: whole,
    differences: z.array(difference),
  }),
  DroppedBuild: z.object({ projection: z.string(), dropped: z.enum(["building", "previous"]) }),
  DeadLetterOutcome: deadLetterOutcome,
  DeadLetterOutcomes: z.object({
    outcomes: z.array(deadLetterOutcome),
    next: whole.optional(),
    stopped: z.object({ id: whole, code: z.string(), reason: z.string() }).optional(),
  }),
};
