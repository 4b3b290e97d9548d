import { z } from "zod";
import { handlerRetry } from "./handler-retry.ts";

const whole = z.number().int();
const names = z.array(z.string());
const runningProcess = z.object({
  instance: z.string(),
  role: z.enum(["api", "worker"]),
  release: z.string(),
  difference: z
    .object({ missingThere: names, missingHere: names, different: names })
    .optional()
    .describe("How its event types differ from those of the process that answers."),
});

const unhandledFailure = z.looseObject({
  kind: z.enum(["rejection", "exception"]),
  handler: z.string().optional().describe("Missing when the failure can't be attributed."),
  failures: whole.describe("How many in the last day. The other fields describe the last one."),
  events: whole.describe("How many events the call was given from which it came."),
  eventId: z.string().optional().describe("The first of those events."),
  position: whole.optional(),
  code: z.string(),
  reason: z.string().optional().describe("For an operator."),
  firstFailedAt: z.iso.datetime(),
  lastFailedAt: z.iso.datetime(),
});

const session = z.looseObject({ pid: whole, login: z.string(), state: z.string(), ageMs: z.number() });
const watermarkHolder = session.extend({
  query: z.string().optional().describe("Its statement, for an operator."),
});
const lockHolder = watermarkHolder.extend({
  applicationName: z.string(),
  waiting: whole.describe("How many sessions wait for it."),
});
const foreignLocks = z.looseObject({
  pid: whole,
  login: z.string(),
  applicationName: z.string(),
  locks: whole,
});

/** What an operator and anybody else see alike; only the operator sees statements and reasons. */
const figures = {
  release: z.string(),
  engine: z.string().describe("`embedded` or `server`."),
  postgresql: z.string(),
  timescaledb: z.object({ version: z.string(), edition: z.string() }),
  features: z.record(z.string(), z.enum(["active", "inactive"])),
  events: z.looseObject({
    stored: whole,
    streams: whole,
    lastPosition: whole,
    watermark: whole,
    lastRecordedAt: z.string().optional(),
    watermarkHolder: watermarkHolder.optional().describe("The session that holds the watermark back."),
    foreignLocks: z
      .array(foreignLocks)
      .optional()
      .describe("Sessions of strangers with advisory locks of the store. They hold nobody back."),
  }),
  publisher: z.looseObject({ queuedEvents: whole, queuedBytes: whole }),
  pages: z
    .object({ reservedBytes: whole, maxBytes: whole, waiting: whole })
    .describe("Room for the pages that are read and sent, and how many requests wait for some."),
  unhandledFailures: z
    .array(unhandledFailure)
    .optional()
    .describe("Failures of promises and callbacks that handlers left behind; missing when there were none."),
  databaseSize: z.number().describe("In bytes, all chunks and indexes included."),
  deadLetters: whole,
  notStored: z
    .object({ open: whole, skipped: whole })
    .describe("Dead letters that hold accepted events: undecided, and left out for good by somebody."),
  keptInBroker: z
    .object({ unheardEvents: whole, failingHandlers: whole })
    .optional()
    .describe(
      "What the broker keeps: events that no function listens to, and failure handlers that fail. Absent where it does not say.",
    ),
  inTransit: z
    .object({ sampled: whole, oldestId: z.string(), oldestAgeMs: z.number() })
    .optional()
    .describe(
      "Of a sample of the events that this process accepted, those that are neither stored nor a dead letter. Absent when all have arrived.",
    ),
  instance: z.string().describe("The process that answers."),
  processes: z.array(runningProcess).describe("The other processes that run."),
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
  lockHolders: z
    .array(lockHolder)
    .optional()
    .describe("The sessions for whose locks others wait, and how many do."),
  exposures: z
    .array(
      z.object({
        kind: z.enum(["routines", "connect", "create", "tables"]),
        count: whole,
        examples: z.array(z.string()),
      }),
    )
    .optional()
    .describe("What lets other logins of the database server harm the log."),
  sharedResources: z
    .array(
      z.looseObject({
        resource: z.enum(["notifications", "locks"]),
        used: z.number().describe("From 0 to 1."),
        sessions: z.array(
          z.looseObject({
            pid: whole,
            login: z.string(),
            database: z.string(),
            applicationName: z.string(),
            ageMs: z.number().nullable(),
            locks: whole.optional(),
          }),
        ),
      }),
    )
    .optional()
    .describe("What is nearly used up of what all sessions of the database server share."),
};

/** The status as anybody may see it. */
export const status = z.looseObject({
  ...figures,
  handlers: z.array(
    z.looseObject({
      name: z.string(),
      projection: z.string().optional().describe("Of a checkpoint of a projection's build: the projection."),
      role: z.enum(["live", "building", "previous"]).optional().describe("Of such a build."),
      checkpoint: whole,
      lag: whole,
      retrying: handlerRetry.optional(),
    }),
  ),
});

/** The status as an operator sees it. */
export const adminStatus = z.looseObject({
  ...figures,
  handlers: z.array(
    z.looseObject({
      name: z.string(),
      mode: z.enum(["inline", "async"]).optional(),
      description: z.string().optional(),
      checkpoint: whole.optional(),
      lag: whole.optional(),
      deadLetters: whole.describe("Open ones."),
      parkedEvents: whole.describe("Events that wait: behind dead letters, or for one that is tried again."),
      retrying: handlerRetry.extend({ reason: z.string() }).optional(),
    }),
  ),
  unhandledFailures: z.array(unhandledFailure.extend({ reason: z.string() })).optional(),
});

/** The answer of a process that runs. */
export const health = z.object({ status: z.literal("ok") });

/** The answer of a process that can do its work. */
export const readiness = z.object({
  status: z.literal("ok"),
  checks: z.record(z.string(), z.string()),
  warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
});

/** The resources of watching a process, by their names in the OpenAPI document. */
export const STATUS_RESOURCES = {
  Status: status,
  AdminStatus: adminStatus,
  Health: health,
  Readiness: readiness,
} as const satisfies Record<string, z.ZodType>;
