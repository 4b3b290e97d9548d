import { z } from "zod";
import { eventInputSchema } from "../event/event-input.ts";
import type { ExpectedVersion, StreamName } from "../event/stream-name.ts";
import { batchHeaders, position, publishQuery, storedEvent } from "./events.ts";
import {
  DEFAULT_PAGE_SIZE,
  emptyBody,
  limitParameter,
  pathId,
  positionHeaders,
  type RequestSchemas,
  wholeNumber,
} from "./parameter-forms.ts";

const aggregateType = z
  .string()
  .max(64)
  .regex(/^[a-z][a-z0-9_-]*$/, "must be lower case letters, digits, _ and -")
  .describe("The aggregate type, for example `note`.");
const aggregateId = pathId.describe("The aggregate id.");

/** A stream's name. */
export const streamPath = z.object({ aggregateType, aggregateId }) satisfies z.ZodType<StreamName>;

/** The version that a stream must have for an append to succeed. */
export const expectedVersion = z
  .union([
    z.enum(["any", "no-stream", "stream-exists"]),
    z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  ])
  .describe(
    "`any` (default), `no-stream`, `stream-exists`, or exactly this version.",
  ) satisfies z.ZodType<ExpectedVersion>;

const streamVersion = z.number().int().describe("The version of the stream's last event.");
const closedAt = z.iso.datetime();

/** The outcome of one event of an append. */
export const appendedEvent = z.object({
  id: z.uuid(),
  position,
  streamVersion,
  duplicate: z.boolean().describe("True if an earlier append stored this event."),
});

/** The body of an append to a stream. */
export const streamAppend = z.strictObject({
  events: z
    .array(eventInputSchema.omit({ aggregateType: true, aggregateId: true }))
    .min(1)
    .max(1024),
  expectedVersion: expectedVersion.optional(),
});

/** The outcome of an append to a stream. */
export const streamAppended = z.object({
  stream: streamPath,
  streamVersion,
  position,
  events: z.array(appendedEvent),
});

/** One page of a stream. */
export const streamPage = z.object({
  stream: streamPath,
  streamVersion,
  closedAt: closedAt.optional().describe("Time at which the stream was closed."),
  events: z.array(storedEvent),
});

/** A stream that accepts no more events. */
export const closedStream = z.object({ stream: streamPath, streamVersion, closedAt });

/** The form of a version in If-Match. */
export const VERSION_TAG = /^"(0|[1-9]\d{0,14})"$/;

/** Headers for the expected version. */
export const preconditionHeaders = z.object({
  "if-match": z
    .string()
    .regex(/^(?:\*|"(?:0|[1-9]\d{0,14})")$/)
    .optional()
    .describe('`"<version>"`: the stream is at exactly this version. `*`: the stream exists.'),
  "if-none-match": z.literal("*").optional().describe("`*`: the stream has no events."),
});

/** The headers of an append to a stream. */
export const appendHeaders = preconditionHeaders.extend(batchHeaders.shape);

const versionParameter = wholeNumber(0, Number.MAX_SAFE_INTEGER);

/** The part of a stream that is read. */
export const streamQuery = z.strictObject({
  fromVersion: versionParameter.optional().describe("Lowest version. Default 1."),
  toVersion: versionParameter.optional().describe("Highest version. Default: that of the stream."),
  direction: z
    .enum(["forwards", "backwards"], 'must be "forwards" or "backwards"')
    .optional()
    .describe("By version. Default forwards."),
  limit: limitParameter(DEFAULT_PAGE_SIZE),
});

/** Request schemas of the operations on streams, by operationId. */
export const STREAM_REQUESTS = {
  appendToStream: {
    params: streamPath,
    query: publishQuery,
    headers: appendHeaders,
    body: streamAppend,
  },
  readStream: { params: streamPath, query: streamQuery, headers: positionHeaders },
  closeStream: { params: streamPath, headers: preconditionHeaders, body: emptyBody },
} as const satisfies Record<string, RequestSchemas>;

/** The resources of streams, by their names in the OpenAPI document. */
export const STREAM_RESOURCES = {
  StreamAppend: streamAppend,
  StreamAppended: streamAppended,
  StreamPage: streamPage,
  ClosedStream: closedStream,
} as const satisfies Record<string, z.ZodType>;
