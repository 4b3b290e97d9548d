import { z } from "zod";
import {
  DEFAULT_PAGE_SIZE,
  emptyBody,
  limitParameter,
  moment as momentParameter,
  type RequestSchemas,
  wholeNumber,
} from "./parameter-forms.ts";

const moment = z.iso.datetime();
const whole = z.number().int();

const state = z.enum(["running", "paused", "rebuilding", "failed", "unregistered"]);

/** One build of a projection: its own tables and checkpoints. */
export const projectionBuild = z.object({
  build: whole,
  version: whole,
  role: z.enum(["live", "building", "previous"]),
  mode: z.enum(["async", "inline"]),
  state,
  checkpoint: whole,
  segments: z.array(whole).describe("Each segment's checkpoint."),
  lagEvents: whole.describe("Number of stored events after the checkpoint, of any type."),
  lagSeconds: z.number().describe("Age of the first of them."),
  progress: z.number().describe("Fraction of all events that it has passed, 0 to 1."),
  openDeadLetters: whole,
  parkedEvents: whole,
  failure: z.string().optional().describe("The error of the last pass."),
  outdatedTypes: z
    .array(z.string())
    .optional()
    .describe("Event types that have a newer version than when the build began, with that version."),
  createdAt: moment,
  liveSince: moment.optional(),
  changedBy: z.string().optional(),
});

/** A projection with its builds. */
export const projection = z.object({
  name: z.string(),
  description: z.string().optional(),
  mode: z.enum(["inline", "async"]).optional(),
  state: z.union([state, z.literal("not built")]),
  newestVersion: whole.optional().describe("The newest version registered in this process."),
  builds: z.array(projectionBuild),
});

/** The difference between two builds in one table. */
export const tableDifference = z.object({
  table: z.string(),
  onlyInOld: whole,
  onlyInNew: whole,
  different: whole.describe("Rows in both builds with different values."),
  columnsNotCompared: z.array(z.string()),
  examples: z.array(z.string()).describe("Keys of some rows that differ, as JSON."),
});

/** All projections. */
export const projections = z.object({ projections: z.array(projection) });

/** The difference between the new build and the live one. */
export const projectionComparison = z.object({
  projection: z.string(),
  rows: whole.describe("Number of rows that differ, over all tables."),
  differences: z.array(tableDifference),
});

/** The live and previous builds after a cutover or a rollback. */
export const projectionCutover = z.object({
  projection: z.string(),
  liveBuild: whole,
  liveVersion: whole,
  previousBuild: whole.describe("Kept up to date for a rollback."),
  lagEvents: whole,
  differences: z.array(tableDifference),
});

/** A build that was removed. */
export const droppedBuild = z.object({ projection: z.string(), dropped: z.enum(["building", "previous"]) });

const bound = z
  .number("must be a whole number")
  .int("must be a whole number")
  .min(0, "must not be negative")
  .max(Number.MAX_SAFE_INTEGER, "is too large");

/** The body of a rebuild. */
export const rebuildBody = z.strictObject({
  version: bound.min(1, "must be 1 or more").optional().describe("Version to build. Default: the newest."),
});

/** The body of a cutover. */
export const cutoverBody = z.strictObject({
  maxLagEvents: bound
    .optional()
    .describe("Largest lag in events at which the cutover is attempted. Default 1,000."),
  maxDifference: bound.optional().describe("Largest number of rows that may differ. Default 0."),
  compare: z.boolean("must be true or false").optional().describe("Compare the rows. Default true."),
});

/** The body of a rollback. */
export const rollbackBody = z.strictObject({
  from: bound
    .min(1, "must be 1 or more")
    .optional()
    .describe(
      "The live build that is to be rolled back: with it, a repetition changes nothing. Without it, a repetition goes forward again.",
    ),
});

/** The body of a drop. */
export const dropBody = z.strictObject({
  build: z.enum(["building", "previous"], 'must be "building" or "previous"'),
});

/** The path of one projection. */
export const projectionPath = z.object({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,59}$/, "must be the name of a projection: lower case, digits and dashes")
    .describe("The projection's name."),
});

/** The rows of a read model as they were. */
export const projectionAsOf = z.object({
  projection: z.string(),
  events: whole.describe("Number of events that were applied."),
  tables: z.array(
    z.object({
      table: z.string(),
      rows: z.array(z.looseObject({})),
      isCut: z.boolean().describe("True if it has more rows than these."),
    }),
  ),
  failed: z
    .array(z.object({ eventId: z.string(), reason: z.string() }))
    .describe(
      "The first 100 events that could not be applied. They and later events of their streams are missing.",
    ),
});

/** Number of events of the log up to which the API shows the past. The embedded engine does nothing else meanwhile. */
export const MAX_AS_OF_EVENTS = 100_000;

/** Size of the events, in bytes of JSON, that the API holds to show a read model as it was known. */
export const MAX_KNOWN_BYTES = 64 * 1024 * 1024;

/** Number of batches in the order of validity that a read of what was known applies at most. */
export const MAX_KNOWN_BATCHES = 2_000;

/** The end of the events of an as-of run, and the number of rows. */
export const asOfQuery = z.strictObject({
  position: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional().describe("As of this position of the log."),
  moment: momentParameter.optional().describe("As of this moment, by when events were stored."),
  limit: limitParameter(DEFAULT_PAGE_SIZE),
});

/** Request schemas of the operations on projections, by operationId. */
export const PROJECTION_REQUESTS = {
  listProjections: {},
  getProjection: { params: projectionPath },
  projectionAsOf: { params: projectionPath, query: asOfQuery },
  pauseProjection: { params: projectionPath, body: emptyBody },
  resumeProjection: { params: projectionPath, body: emptyBody },
  rollbackProjection: { params: projectionPath, body: rollbackBody },
  rebuildProjection: { params: projectionPath, body: rebuildBody },
  compareProjection: { params: projectionPath, body: emptyBody },
  cutOverProjection: { params: projectionPath, body: cutoverBody },
  dropProjectionBuild: { params: projectionPath, body: dropBody },
} as const satisfies Record<string, RequestSchemas>;

/** The resources of projections, by their names in the OpenAPI document. */
export const PROJECTION_RESOURCES = {
  Projections: projections,
  Projection: projection,
  ProjectionBuild: projectionBuild,
  ProjectionComparison: projectionComparison,
  ProjectionCutover: projectionCutover,
  DroppedBuild: droppedBuild,
  ProjectionAsOf: projectionAsOf,
} as const satisfies Record<string, z.ZodType>;
