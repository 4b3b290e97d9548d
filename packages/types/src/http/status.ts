import { z } from "zod";
import { conditionHeaders, type RequestSchemas } from "./parameter-forms.ts";

/** A handler's pending retry after a failure. */
const handlerRetry = z
  .looseObject({
    waiting: z
      .enum(["handler", "stream"])
      .describe("`handler`: the whole handler waits. `stream`: only some streams wait."),
    streams: z.number().int().describe("Number of streams that wait."),
    eventId: z.string().optional().describe("The event that failed, if known."),
    position: z.number().int().optional(),
    attempts: z.number().int().describe("Consecutive failed attempts."),
    transient: z
      .boolean()
      .describe("True if a dependency of the handler is unavailable. It is then retried without limit."),
    code: z.string(),
    firstFailedAt: z.iso.datetime(),
    failedAt: z.iso.datetime(),
    nextAttemptAt: z.iso.datetime(),
  })
  .describe("The retry after a failure; absent when nothing failed.");

const whole = z.number().int();
const names = z.array(z.string());
const runningProcess = z.object({
  instance: z.string(),
  role: z.enum(["api", "worker"]),
  release: z.string(),
  difference: z
    .object({ missingThere: names, missingHere: names, different: names })
    .optional()
    .describe("Differences between its event types and those of the answering process."),
});

const unhandledFailure = z.looseObject({
  kind: z.enum(["rejection", "exception"]),
  handler: z.string().optional().describe("Absent when the failure can't be attributed."),
  failures: whole.describe("Number in the last day. The other fields describe the last one."),
  events: whole.describe("Number of events passed to the call that caused it."),
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
  waiting: whole.describe("Number of sessions that wait for it."),
});
const foreignLocks = z.looseObject({
  pid: whole,
  login: z.string(),
  applicationName: z.string(),
  locks: whole,
});

const replicaUse = z.looseObject({
  inUse: z.boolean().describe("False while the primary answers instead."),
  position: whole.describe("Position up to which the replica is known to be complete."),
  lagMs: z.number().describe("Time for which it had been behind the primary when that last answered."),
  served: whole.describe("Reads since the start that it answered."),
  passedOn: z
    .object({ unused: whole, behind: whole, busy: whole, cancelled: whole, absent: whole })
    .describe(
      "Reads since the start that the primary answered instead: the replica was not used, had not replayed what the read had to see, " +
        "did not begin in time, was kept from it by replay, or does not have what was asked for.",
    ),
});

const chain = z
  .object({
    block: whole.describe("Number of the last block."),
    hash: z.string().describe("Its hash, in hexadecimal digits."),
    position: whole.describe("Position of the last event in the chain."),
    lag: whole.describe("Number of stored events that are not in it yet."),
    verified: z
      .object({
        at: z.iso.datetime(),
        position: whole,
        events: whole,
        faults: whole.describe("Differences between the log and the chain."),
      })
      .optional()
      .describe("The last verification; absent before the first one."),
  })
  .describe("The hash chain over the log.");

const epoch = z
  .object({
    number: whole,
    begunAt: z.iso.datetime(),
    firstPosition: whole.describe("The first position that an event of it may have."),
    lastBefore: whole
      .optional()
      .describe(
        "The last position of the epochs before it; those in between are refused. Absent in the first epoch.",
      ),
    verifiedAt: z.iso.datetime().optional().describe("When `synap verify --restored` found no fault in it."),
  })
  .describe("The current epoch: another one begins when the database was restored, copied or promoted.");

const missingChunk = z.object({
  chunk: z.string(),
  events: whole,
  from: z.iso.datetime(),
  to: z.iso.datetime(),
});

/** The figures shown to everybody; statements and reasons are shown to operators only. */
const figures = {
  release: z.string(),
  engine: z.string().describe("`embedded` or `server`."),
  postgresql: z.string(),
  timescaledb: z.object({ version: z.string(), edition: z.string() }),
  features: z
    .record(z.string(), z.enum(["active", "inactive", "pending"]))
    .describe("`inactive`: switched off by the configuration. `pending`: not part of this release."),
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
      .describe(
        "Sessions of other programs with advisory locks in the store's namespace. They block nothing.",
      ),
  }),
  publisher: z.looseObject({ queuedEvents: whole, queuedBytes: whole }),
  pages: z
    .object({ reservedBytes: whole, maxBytes: whole, waiting: whole })
    .describe("Memory for the pages being read and sent, and the number of requests that wait for some."),
  unhandledFailures: z
    .array(unhandledFailure)
    .optional()
    .describe("Failures of promises and callbacks that handlers left running; absent when there were none."),
  databaseSize: z.number().describe("In bytes, all chunks and indexes included."),
  deadLetters: whole,
  notStored: z
    .object({ open: whole, skipped: whole })
    .describe("Dead letters that hold accepted events: open ones, and those that an operator skipped."),
  keptInBroker: z
    .object({ unmatchedEvents: whole, failingHandlers: whole })
    .optional()
    .describe(
      "Work held in the broker: events without a function, and failing failure handlers. Absent where the broker does not report it.",
    ),
  inTransit: z
    .object({ sampled: whole, oldestId: z.string(), oldestAgeMs: z.number() })
    .optional()
    .describe(
      "The events of a sample of those that this process accepted that are neither stored nor a dead letter. Absent when there are none.",
    ),
  instance: z.string().describe("The answering process."),
  processes: z.array(runningProcess).describe("The other running processes."),
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
  replica: replicaUse
    .optional()
    .describe("The replica that the answering process reads events from. Absent without one."),
  lockHolders: z
    .array(lockHolder)
    .optional()
    .describe("The sessions for whose locks others wait, with the number of waiting sessions."),
  chain,
  epoch,
  missingChunks: z
    .array(missingChunk)
    .optional()
    .describe(
      "Chunks of events that were dropped, with the bounds of their timestamps; absent when none was.",
    ),
  archived: z
    .object({ chunks: whole, events: whole })
    .optional()
    .describe("The events that are in an archive and not in the database; absent when there are none."),
  unfinishedErasures: whole
    .optional()
    .describe(
      "Erasures of personal data that were interrupted, or that a hold keeps back; absent when there is none.",
    ),
  exposures: z
    .array(
      z.object({
        kind: z.enum(["routines", "connect", "create", "tables"]),
        count: whole,
        examples: z.array(z.string()),
      }),
    )
    .optional()
    .describe("Rights by which other logins of the database server could damage the log."),
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
    .describe("Resources shared by all sessions of the database server that are nearly used up."),
};

/** The public status. */
export const status = z.looseObject({
  ...figures,
  handlers: z.array(
    z.looseObject({
      name: z.string(),
      projection: z
        .string()
        .optional()
        .describe("The projection, if the checkpoint belongs to a projection's build."),
      role: z.enum(["live", "building", "previous"]).optional().describe("The role of that build."),
      checkpoint: whole,
      lag: whole,
      retrying: handlerRetry.optional(),
    }),
  ),
});

/** The status for operators. */
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
      parkedEvents: whole.describe(
        "Events that wait behind dead letters, or behind an event that is retried.",
      ),
      retrying: handlerRetry.extend({ reason: z.string() }).optional(),
    }),
  ),
  unhandledFailures: z.array(unhandledFailure.extend({ reason: z.string() })).optional(),
  replica: replicaUse.extend({ reason: z.string().optional().describe("Why it is not used.") }).optional(),
});

/** The liveness answer. */
export const health = z.object({ status: z.literal("ok") });

/** The readiness answer. */
export const readiness = z.object({
  status: z.literal("ok"),
  checks: z.record(z.string(), z.string()),
  warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
});

/** The resources of monitoring a process, by their names in the OpenAPI document. */
export const STATUS_RESOURCES = {
  Status: status,
  AdminStatus: adminStatus,
  Health: health,
  Readiness: readiness,
} as const satisfies Record<string, z.ZodType>;

/** Request schemas of the monitoring operations, by operationId; they have no parameters. */
export const STATUS_REQUESTS = {
  status: {},
  adminStatus: {},
  metrics: {},
  health: {},
  readiness: {},
  openapi: { headers: conditionHeaders },
  asyncapi: { headers: conditionHeaders },
} as const satisfies Record<string, RequestSchemas>;
