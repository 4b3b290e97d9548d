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

/** The page of the catalogue. */
export const eventTypesQuery = z.strictObject({
  limit: limitParameter(DEFAULT_PAGE_SIZE),
  cursor: cursorParameter,
});

/** Request schemas of the operations on event types, by operationId. */
export const EVENT_TYPE_REQUESTS = {
  listEventTypes: { query: eventTypesQuery, headers: conditionHeaders },
  getEventType: { params: eventTypePath, headers: conditionHeaders },
} as const satisfies Record<string, RequestSchemas>;

/** The resources of the catalogue, by their names in the OpenAPI document. */
export const EVENT_TYPE_RESOURCES = {
  EventType: eventType,
  EventTypePage: eventTypePage,
} as const satisfies Record<string, z.ZodType>;
