import { z } from "zod";

// What the commands need of the API's answers. Whatever else is in them goes through to --json.

/** A stored event. */
export const storedEvent = z.looseObject({
  id: z.string(),
  type: z.string(),
  aggregateType: z.string(),
  aggregateId: z.string(),
  timestamp: z.string(),
  position: z.number(),
  streamVersion: z.number(),
  data: z.unknown(),
});
export type StoredEvent = z.infer<typeof storedEvent>;

/** One page of a stream. */
export const streamPage = z.looseObject({
  streamVersion: z.number(),
  closedAt: z.string().optional(),
  events: z.array(storedEvent),
});

/** The status, public or admin's. */
export const status = z.looseObject({
  release: z.string(),
  engine: z.string(),
  postgresql: z.string(),
  timescaledb: z.looseObject({ version: z.string(), edition: z.string() }),
  events: z.looseObject({
    stored: z.number(),
    streams: z.number(),
    lastPosition: z.number(),
    watermark: z.number(),
    lastRecordedAt: z.string().optional(),
    watermarkHolder: z
      .looseObject({
        pid: z.number(),
        login: z.string(),
        query: z.string().optional(),
        state: z.string(),
        ageMs: z.number(),
      })
      .optional(),
    foreignLocks: z
      .array(z.looseObject({ pid: z.number(), login: z.string(), locks: z.number() }))
      .optional(),
  }),
  handlers: z.array(
    z.looseObject({
      name: z.string(),
      mode: z.string().optional(),
      lag: z.number().optional(),
      checkpoint: z.number().optional(),
      deadLetters: z.number().optional(),
      parkedEvents: z.number().optional(),
      retrying: z
        .looseObject({
          waiting: z.enum(["handler", "stream"]),
          streams: z.number(),
          eventId: z.string().optional(),
          attempts: z.number(),
          code: z.string(),
          reason: z.string().optional(),
          nextAttemptAt: z.string(),
        })
        .optional(),
    }),
  ),
  deadLetters: z.number(),
  lockHolders: z
    .array(
      z.looseObject({
        pid: z.number(),
        login: z.string(),
        applicationName: z.string(),
        query: z.string().optional(),
        state: z.string(),
        ageMs: z.number(),
        waiting: z.number(),
      }),
    )
    .optional(),
  connections: z.array(
    z.looseObject({
      purpose: z.enum(["reads", "writes", "all"]),
      max: z.number(),
      busy: z.number(),
      waiting: z.number(),
    }),
  ),
  exposures: z
    .array(
      z.looseObject({
        kind: z.enum(["routines", "connect", "create", "tables"]),
        count: z.number(),
        examples: z.array(z.string()),
      }),
    )
    .optional(),
  sharedResources: z
    .array(
      z.looseObject({
        resource: z.enum(["notifications", "locks"]),
        used: z.number(),
        sessions: z.array(
          z.looseObject({
            pid: z.number(),
            login: z.string(),
            database: z.string(),
            applicationName: z.string(),
            ageMs: z.number().nullable(),
            locks: z.number().optional(),
          }),
        ),
      }),
    )
    .optional(),
  databaseSize: z.number(),
  notStored: z.looseObject({ open: z.number(), skipped: z.number() }),
  keptInBroker: z.looseObject({ unheardEvents: z.number(), failingHandlers: z.number() }).optional(),
  processes: z.array(
    z.looseObject({
      instance: z.string(),
      role: z.string(),
      release: z.string(),
      difference: z
        .looseObject({
          missingThere: z.array(z.string()),
          missingHere: z.array(z.string()),
          different: z.array(z.string()),
        })
        .optional(),
    }),
  ),
  publisher: z.looseObject({ queuedEvents: z.number() }),
});
export type Status = z.infer<typeof status>;

/** A dead letter; `event` only when one was asked for. */
export const deadLetter = z.looseObject({
  id: z.number(),
  handler: z.string(),
  eventId: z.string(),
  eventType: z.string().optional(),
  position: z.number().optional(),
  stream: z.object({ aggregateType: z.string(), aggregateId: z.string() }).optional(),
  code: z.string(),
  reason: z.string(),
  attempts: z.number(),
  status: z.string(),
  firstFailedAt: z.string(),
  lastFailedAt: z.string(),
  parked: z.number(),
  resolvedAt: z.string().optional(),
  resolvedBy: z.string().optional(),
  resolution: z.string().optional(),
  event: z.unknown().optional(),
});
export type DeadLetter = z.infer<typeof deadLetter>;

export const deadLetterPage = z.looseObject({
  deadLetters: z.array(deadLetter),
  nextCursor: z.string().optional(),
});

/** What a retry or a skip came to. */
export const deadLetterOutcome = z.looseObject({
  id: z.number(),
  status: z.string(),
  failure: z.looseObject({ code: z.string(), reason: z.string() }).optional(),
  resolution: z.string().optional(),
  released: z.number(),
  parked: z.number(),
});
export type DeadLetterOutcome = z.infer<typeof deadLetterOutcome>;

/** What a retry of many letters came to. */
export const deadLetterOutcomes = z.looseObject({
  outcomes: z.array(deadLetterOutcome),
  next: z.number().optional(),
  stopped: z.looseObject({ id: z.number(), code: z.string(), reason: z.string() }).optional(),
});

/** One build of a projection. */
export const projectionBuild = z.looseObject({
  build: z.number(),
  version: z.number(),
  role: z.string(),
  feed: z.string(),
  state: z.string(),
  checkpoint: z.number(),
  lagEvents: z.number(),
  lagSeconds: z.number(),
  progress: z.number(),
  openDeadLetters: z.number(),
  parkedEvents: z.number(),
  failure: z.string().optional(),
  createdAt: z.string(),
  liveSince: z.string().optional(),
  changedBy: z.string().optional(),
});
export type ProjectionBuild = z.infer<typeof projectionBuild>;

/** A projection and its builds. */
export const projection = z.looseObject({
  name: z.string(),
  description: z.string().optional(),
  mode: z.string().optional(),
  state: z.string(),
  newestVersion: z.number().optional(),
  builds: z.array(projectionBuild),
});
export type Projection = z.infer<typeof projection>;
export const projectionList = z.looseObject({ projections: z.array(projection) });

const tableDifference = z.looseObject({
  table: z.string(),
  onlyInOld: z.number(),
  onlyInNew: z.number(),
  different: z.number(),
  columnsNotCompared: z.array(z.string()),
  examples: z.array(z.string()),
});
export type TableDifference = z.infer<typeof tableDifference>;

/** How the rows of two builds differ. */
export const comparison = z.looseObject({ rows: z.number(), differences: z.array(tableDifference) });

/** What a cutover or rollback did. */
export const cutover = z.looseObject({
  liveBuild: z.number(),
  liveVersion: z.number(),
  previousBuild: z.number(),
  differences: z.array(tableDifference),
});

/** What a drop did. */
export const droppedBuild = z.looseObject({ projection: z.string(), dropped: z.string() });
