import { z } from "zod";
import { jsonObject } from "../event/synap-event.ts";
import type { DescribedEventType } from "../event-types/event-reader.ts";
import {
  conditionHeaders,
  cursorParameter,
  DEFAULT_PAGE_SIZE,
  limitParameter,
  nextCursor,
  pathId,
  type RequestSchemas,
} from "./parameter-forms.ts";

/** An event type as the catalogue has it. */
export const eventType = z.object({
  name: z.string(),
  aggregateType: z.string().describe("Default `aggregateType` of its events."),
  description: z.string(),
  versions: z
    .array(z.string())
    .describe("Values of `version` with which its events are accepted, the newest last."),
  schemaVersion: z.number().int().describe("The current version of its schema."),
  jsonSchema: z.looseObject({}).describe("JSON Schema (draft 2020-12) of `data` at this version."),
  earlierSchemas: z
    .array(z.object({ schemaVersion: z.number().int(), jsonSchema: z.looseObject({}) }))
    .describe("The versions before it, with which events may still be sent, the oldest first."),
  example: jsonObject.describe("An example of `data`."),
  isRegistered: z
    .boolean()
    .optional()
    .describe("True if it was registered at run time; absent for a type that is defined in code."),
}) satisfies z.ZodType<DescribedEventType>;

/** One page of the catalogue. */
export const eventTypePage = z.object({
  eventTypes: z.array(eventType).describe("Sorted by name."),
  nextCursor,
});

/** The path of one event type. */
export const eventTypePath = z.object({
  name: pathId.describe("Name of the event type, for example `note.creation.requested`."),
});

/** An event type as it is registered. */
export const eventTypeRegistration = z.strictObject({
  description: z
    .string()
    .min(1, "must not be empty")
    .max(2_000, "must have at most 2000 characters")
    .describe("The fact that such an event records."),
  aggregateType: z
    .string()
    .optional()
    .describe("Default `aggregateType` of its events. Default: the part of the name before the first dot."),
  schema: z
    .looseObject({})
    .describe(
      "JSON Schema (draft 2020-12) of `data`, at most 65,536 bytes, of the keywords that Synap supports.",
    ),
  example: z.looseObject({}).describe("An example of `data`."),
});

/** The outcome of a registration. */
export const registeredEventType = z.object({
  outcome: z
    .enum(["registered", "changed", "unchanged"])
    .describe(
      "`registered`: a new type. `changed`: a new version of one. `unchanged`: it is registered like that.",
    ),
  eventType,
});

/** The page of the catalogue. */
export const eventTypesQuery = z.strictObject({
  limit: limitParameter(DEFAULT_PAGE_SIZE),
  cursor: cursorParameter,
});

/** Request schemas of the operations on event types, by operationId. */
export const EVENT_TYPE_REQUESTS = {
  listEventTypes: { query: eventTypesQuery, headers: conditionHeaders },
  getEventType: { params: eventTypePath, headers: conditionHeaders },
  registerEventType: { params: eventTypePath, body: eventTypeRegistration },
} as const satisfies Record<string, RequestSchemas>;

/** The resources of the catalogue, by their names in the OpenAPI document. */
export const EVENT_TYPE_RESOURCES = {
  EventType: eventType,
  EventTypePage: eventTypePage,
  RegisteredEventType: registeredEventType,
} as const satisfies Record<string, z.ZodType>;
