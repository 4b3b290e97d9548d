import { z } from "zod";
import { eventInputSchema } from "../event/event-input.ts";
import { MAX_EVENT_BYTES } from "../event/event-size.ts";
import { synapEventSchema } from "../event/synap-event.ts";
import {
  aggregatePath,
  conditionHeaders,
  cursorParameter,
  DEFAULT_PAGE_SIZE,
  dataParameter,
  eventTypesParameter,
  idempotencyKey,
  limitParameter,
  MAX_PAGE_SIZE,
  moment,
  nextCursor,
  pathId,
  plainText,
  positionHeaders,
  type RequestSchemas,
  wholeNumber,
} from "./parameter-forms.ts";

/** One fault of an event or of a request. */
export const issue = z.object({
  path: z.string().describe("Path in the event, for example `data.tags[0]`. Empty for the event itself."),
  code: z.string().describe("Kind of fault, for programs."),
  reason: z.string().describe("Explanation, for people."),
});

/** The position of an event among all events. */
export const position = z.number().int().describe("Position in the log: increases, with gaps.");

/** An event as the store returns it. */
export const storedEvent = synapEventSchema.extend({
  position,
  streamVersion: z.number().int().describe("Version in the stream: 1, 2, 3 ..."),
  recordedAt: z.iso.datetime().describe("Time of storage."),
  masked: z
    .array(
      z.object({
        path: z.string().describe("Its place in `data`, as a JSON Pointer."),
        reason: z.enum(["not-allowed", "erased", "unreadable"]),
      }),
    )
    .optional()
    .describe("The personal values in the place of which `data` has others. Absent if there are none."),
  amendedBy: z
    .object({
      kind: z.enum(["correction", "retraction"]),
      eventId: z.uuid().describe("Its id."),
      recordedAt: z.iso.datetime().describe("When it was stored."),
    })
    .optional()
    .describe("With `corrections=marked`: the event on account of which this one is not in force."),
});

/** The answer for an accepted event. */
export const acceptedEvent = z.object({ status: z.literal("accepted"), id: z.uuid() });

/** The answer for an event that is already stored. */
export const duplicateEvent = z.object({
  status: z.literal("duplicate"),
  id: z.uuid().describe("The id of the event that was stored first."),
  position: position.optional(),
});
const rejected = issue.extend({ status: z.literal("rejected"), issues: z.array(issue) });
const unavailable = z.object({
  status: z.literal("unavailable"),
  id: z.uuid(),
  code: z.literal("event-type-not-ready").optional().describe("Absent when the broker did not confirm."),
  reason: z.string().optional(),
});
const index = z.number().int().describe("Index of the event in the request, from 0.");

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
  nextCursor,
  previousCursor: z.string().optional().describe("`cursor` of the page before; absent on the first page."),
});

/** An event and, if they were asked for, those that it caused. */
export const eventWithCaused = storedEvent.extend({
  caused: eventPage
    .pick({ events: true, nextCursor: true })
    .optional()
    .describe(
      "The events that it caused, oldest first. `nextCursor` is one of `causationId={id}&order=asc`.",
    ),
});

/** One page of the events of a flow, ordered by cause. */
export const trace = z.object({
  correlationId: z.string(),
  nodes: z.array(
    z.object({
      depth: z.number().int().describe("0: its cause is not on this page. Else one more than its cause has."),
      event: storedEvent,
    }),
  ),
  nextCursor,
});

const trueOrFalse = z.enum(["true", "false"], 'must be "true" or "false"');

/** The parameters of both publishing operations. */
export const publishQuery = z.strictObject({
  backfill: trueOrFalse.optional().describe("Accepts events of any age. Needs the scope backfill."),
});

/** The headers of publishing one event. */
export const publishHeaders = z.object({
  "idempotency-key": idempotencyKey.describe(
    "The event's `idempotencyKey`, for senders who don't write it into the body. Text in quotes, or without.",
  ),
});

/** The headers of publishing many events. */
export const batchHeaders = z.object({
  "idempotency-key": idempotencyKey.describe(
    "Events without `id` and `idempotencyKey` get an id of this key and their place in the request: sent again, they are " +
      "duplicates. Text in quotes, or without.",
  ),
});

/** The path of one event. */
export const eventPath = z.object({ id: z.uuid("must be a UUID").describe("The event's id.") });

/** Events that an event caused, in the response for it. */
export const eventOptions = z.strictObject({
  caused: wholeNumber(1, MAX_PAGE_SIZE)
    .optional()
    .describe(`Number of events that it caused to include, at most ${MAX_PAGE_SIZE}. Default: none.`),
});

/** The path of a flow. */
export const tracePath = z.object({
  correlationId: pathId.describe("Correlation id of the events, or the id of the event that began the flow."),
});

/** Headers of a request for one event. */
export const eventHeaders = positionHeaders.extend(conditionHeaders.shape);

/** The page of a flow. */
export const traceQuery = z.strictObject({ limit: limitParameter(MAX_PAGE_SIZE), cursor: cursorParameter });

/** Conditions on where events come from. */
const originParameters = {
  userId: plainText(128).optional().describe("Events that belong to this user."),
  correlationId: plainText(128).optional().describe("Events of this flow."),
  causationId: z.uuid("must be a UUID").optional().describe("Events that this one caused, by its id."),
  createdBy: plainText(134).optional().describe("Events of this creator, for example `agent:pricing`."),
  source: plainText(64).optional().describe("Events from this system."),
};

/** The filter and the page of a query for events. */
export const eventQuery = z.strictObject({
  from: moment.optional().describe("Events that happened at this moment or later."),
  to: moment.optional().describe("Events that happened before this moment."),
  type: eventTypesParameter,
  aggregateType: plainText(64).optional().describe("Events of this aggregate type."),
  aggregateId: plainText(128).optional().describe("Events of this aggregate."),
  ...originParameters,
  source: originParameters.source.describe("Events from this system. Needs another filter beside it."),
  recordedFrom: moment.optional().describe("Events that were stored at this moment or later."),
  recordedTo: moment.optional().describe("Events that were stored before this moment."),
  validAt: moment
    .optional()
    .describe(
      "Facts that hold then, also in the future: from `validFrom`, or else `timestamp`, until before `validTo`. Needs another filter beside it.",
    ),
  knownAt: moment
    .optional()
    .describe(
      "Events that were stored up to this moment, not in the future; with `corrections`, as known then.",
    ),
  corrections: z
    .enum(["applied", "marked"], 'must be "applied" or "marked"')
    .optional()
    .describe(
      "`applied`: only events in force, a correction in the place of the event that it corrects. `marked`: all events, those that are not in force with `amendedBy`. Default: all events, as they are stored.",
    ),
  data: dataParameter
    .optional()
    .describe(
      'JSON that the data contains, for example `{"sku":"x"}`: fields at any depth, items of lists. Needs another filter beside it.',
    ),
  processed: trueOrFalse
    .optional()
    .describe(
      "Events that every handler has processed, or that some handler has not. Selected within each page.",
    ),
  limit: limitParameter(DEFAULT_PAGE_SIZE),
  order: z
    .enum(["asc", "desc"], 'must be "asc" or "desc"')
    .optional()
    .describe("By time. Default desc: newest first."),
  cursor: cursorParameter.describe("`nextCursor` or `previousCursor` of a page of the same query."),
});

/** The page of an aggregate's history. */
export const historyQuery = z.strictObject({
  limit: limitParameter(DEFAULT_PAGE_SIZE),
  cursor: cursorParameter.describe("`nextCursor` or `previousCursor` of a page of the same history."),
});

/** Start and filter of a live stream of events. */
export const streamEventsQuery = z.strictObject({
  from: z
    .string()
    .regex(/^(?:now|start|\d{1,15})$/, 'must be "now", "start" or a position, a whole number from 0')
    .optional()
    .describe("`now` (default), `start`, or a position: the first event is the one after it."),
  type: eventTypesParameter,
  aggregateType: plainText(64).optional().describe("Events of streams of this type."),
  aggregateId: plainText(128).optional().describe("Events of this stream; needs `aggregateType`."),
  ...originParameters,
});

/** The header with which a live stream resumes. */
export const streamEventsHeaders = z.object({
  "last-event-id": z
    .string()
    .regex(/^\d{1,15}$/)
    .optional()
    .describe("Takes precedence over `from`."),
});

/** The positions that a frame of a live stream accounts for. */
const accounted = z.object({
  after: position.describe("The `id` of the frame before; of the first frame, where the stream begins."),
  number: z.number().int().describe("Number of events sent on this connection up to this frame."),
});

/** The data of an event of a live stream. */
export const streamedEvent = accounted.extend({ event: storedEvent });

/** The data of a `progress` frame of a live stream. */
export const streamProgress = accounted.extend({
  position: position.describe("Position that was read up to; the same as `id`."),
  caughtUp: z.boolean().describe("True if everything stored when this was read has been sent."),
  end: position
    .optional()
    .describe(
      "In the first frame: position up to which the log could be read. Below `after`: the store was restored to before it.",
    ),
});

/** The bodies of publishing. */
const EVENT_BODIES = {
  EventInput: eventInputSchema.describe(
    `At most ${MAX_EVENT_BYTES} bytes as JSON in UTF-8 without spaces, numbers written out in full; else 413 \`event-too-large\`.`,
  ),
  EventBatch: z.union([z.array(eventInputSchema), z.strictObject({ events: z.array(eventInputSchema) })]),
};

/** Request schemas of the operations on events, by operationId. */
export const EVENT_REQUESTS = {
  publishEvent: { query: publishQuery, headers: publishHeaders, body: EVENT_BODIES.EventInput },
  publishBatch: { query: publishQuery, headers: batchHeaders, body: EVENT_BODIES.EventBatch },
  getEvent: { params: eventPath, query: eventOptions, headers: eventHeaders },
  getTrace: { params: tracePath, query: traceQuery },
  listEvents: { query: eventQuery, headers: positionHeaders },
  aggregateHistory: { params: aggregatePath, query: historyQuery, headers: positionHeaders },
  streamEvents: { query: streamEventsQuery, headers: streamEventsHeaders },
} as const satisfies Record<string, RequestSchemas>;

/** The resources of publishing and querying events, by their names in the OpenAPI document. */
export const EVENT_RESOURCES = {
  ...EVENT_BODIES,
  StoredEvent: storedEvent,
  EventPage: eventPage,
  EventWithCaused: eventWithCaused,
  StreamedEvent: streamedEvent,
  StreamProgress: streamProgress,
  Trace: trace,
  AcceptedEvent: acceptedEvent,
  DuplicateEvent: duplicateEvent,
  BatchResults: batchResults,
} as const satisfies Record<string, z.ZodType>;
