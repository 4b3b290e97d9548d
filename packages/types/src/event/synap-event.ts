import { z } from "zod";
import { findTextFault } from "../issues/text-fault.ts";
import type { JsonObject, JsonValue } from "../json/json.ts";
import { readTimestamp, TIMESTAMP_FORM } from "./timestamp.ts";

/** The form of an event type's name: two or more segments of lower case letters, digits, `_` and `-`, joined by dots. */
export const EVENT_TYPE_PATTERN = /^[a-z][a-z0-9_-]*(?:\.[a-z][a-z0-9_-]*)+$/;

/** True for a text that can be the name of an event type. */
export function isEventTypeName(name: string): boolean {
  return name.length <= MAX_EVENT_TYPE_LENGTH && EVENT_TYPE_PATTERN.test(name);
}
/** The form of an aggregate type: one such segment. */
export const AGGREGATE_TYPE_PATTERN = /^[a-z][a-z0-9_-]*$/;
/** Maximum length of an event type's name, in characters. */
export const MAX_EVENT_TYPE_LENGTH = 128;
/** Maximum length of an aggregate type, in characters. */
export const MAX_AGGREGATE_TYPE_LENGTH = 64;

/** Highest version of an event type's schema. */
export const MAX_SCHEMA_VERSION = 1000;

/** Values of `version` with which an event is accepted, the newest last. */
export const SYNAP_EVENT_VERSIONS = ["v1"] as const;

const CREATED_BY = /^(?:system|(?:user|agent):[\s\S]{1,128})$/;

/** The same for the OpenAPI document, where a character beyond U+FFFF counts as one and not as two. */
const CREATED_BY_FORM =
  "^(?:system|(?:user|agent):(?:[\\u0001-\\ud7ff\\ue000-\\uffff]{1,128}|[^\\u0000\\ud800-\\udfff]{1,64}))$";

/** Pattern of text without NUL and lone surrogates, which PostgreSQL can't store. */
export const KEPT_TEXT = "^[^\\u0000\\ud800-\\udfff]*$";

function text(max: number) {
  return z
    .string()
    .min(1)
    .max(max)
    .check((context) => {
      const fault = findTextFault(context.value);
      if (fault === undefined) return;
      const { code, reason } = fault;
      context.issues.push({ code: "custom", params: { code }, message: reason, input: context.value });
    })
    .meta({ pattern: KEPT_TEXT });
}

/** Path steps: an aggregate with one of these as its id could not be reached over HTTP. */
const PATH_STEPS: ReadonlySet<string> = new Set([".", ".."]);

/** True for a path step, which must not be the id of an aggregate. */
export function isPathStep(id: string): boolean {
  return PATH_STEPS.has(id);
}

/** The schema of a timestamp in any form that `readTimestamp` accepts. */
export const timestampSchema = z
  .string()
  .check((context) => {
    const reading = readTimestamp(context.value);
    if (reading.ok) return;
    const { code, reason } = reading;
    context.issues.push({ code: "custom", params: { code }, message: reason, input: context.value });
  })
  .meta({ format: "date-time", pattern: TIMESTAMP_FORM });

// Not z.json(): that recurses, and an event may arrive nested a million levels deep. checkJson validates the values.
const jsonValue: z.ZodType<JsonValue, JsonValue> = z.any();
/** The schema of a JSON object. It does not validate the values inside. */
export const jsonObject: z.ZodType<JsonObject, JsonObject> = z.record(
  z.string(),
  jsonValue,
  "must be a JSON object",
);

/**
 * The fields of an event as a strict Zod schema: unknown fields are refused. It neither validates the values inside
 * `data` nor normalises: use a catalogue's `parseSynapEvent` for complete validation, and this to describe the
 * event, as in OpenAPI.
 */
export const synapEventSchema = z.strictObject({
  id: z.uuid().describe("UUID; the server assigns version 7."),
  version: z.literal(SYNAP_EVENT_VERSIONS),
  type: z
    .string()
    .max(MAX_EVENT_TYPE_LENGTH)
    .regex(EVENT_TYPE_PATTERN, "must have the form aggregate.action[.more] in lower case")
    .describe("aggregate.action[.more]"),
  schemaVersion: z
    .int()
    .min(1)
    .max(MAX_SCHEMA_VERSION)
    .optional()
    .describe("Version of the type's schema that `data` has. Absent: 1."),
  aggregateType: z
    .string()
    .max(MAX_AGGREGATE_TYPE_LENGTH)
    .regex(AGGREGATE_TYPE_PATTERN, "must be lower case letters, digits, _ and -"),
  aggregateId: text(128)
    .refine((id) => !isPathStep(id), "must not be . or .., which are steps in a path")
    .meta({ not: { enum: [...PATH_STEPS] } }),
  data: jsonObject.describe("The event's content, validated against the schema of its type."),
  userId: text(128).optional(),
  createdBy: text(134)
    .regex(CREATED_BY, "must be user:{id}, agent:{name} or system")
    .meta({ pattern: CREATED_BY_FORM }),
  source: text(64),
  timestamp: timestampSchema.describe("Time of the event: RFC 3339, at most millisecond precision."),
  requestId: text(128).optional(),
  correlationId: text(128).optional(),
  causationId: z.uuid().optional().describe("The id of the event that caused this one."),
  idempotencyKey: text(255).optional(),
  validFrom: timestampSchema.optional(),
  validTo: timestampSchema.optional(),
  metadata: jsonObject.optional(),
});
