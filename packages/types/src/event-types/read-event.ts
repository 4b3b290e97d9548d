import type { z } from "zod";
import { amendmentFormIssues } from "../amendments/amendments.ts";
import type { SynapEvent } from "../event/event.ts";
import { eventBytes, MAX_EVENT_BYTES } from "../event/event-size.ts";
import { assembleEvent, isSchemaVersion, readPlainEvent } from "../event/read-plain-event.ts";
import { synapEventSchema } from "../event/synap-event.ts";
import { readTimestamp } from "../event/timestamp.ts";
import { type EventIssue, MAX_ISSUES } from "../issues/event-issue.ts";
import { didYouMean } from "../issues/near-match.ts";
import { thrownFacts } from "../issues/thrown-facts.ts";
import { fieldsOfJsonSchema, toEventIssues } from "../issues/zod-issues.ts";
import { checkJson, examineJson, type JsonExamination } from "../json/check-json.ts";
import type { JsonObject } from "../json/json.ts";
import type { PersonalField } from "../personal/personal-fields.ts";
import { leadsInto, personalIssues } from "../personal/personal-issues.ts";
import { personalValues } from "../personal/personal-values.ts";
import { isSealedValue } from "../personal/sealed-value.ts";
import type { EventTypeDefinition } from "./define-event-type.ts";

/** A valid event, or the issues of an invalid one. */
export type EventReading<Event = SynapEvent> =
  | { readonly ok: true; readonly event: Event }
  | { readonly ok: false; readonly issues: readonly EventIssue[] };

/** The rules that an event is validated against. */
export interface EventRules {
  /** Maximum nesting inside `data` and `metadata`. */
  readonly maxDepth: number;
  /** True where personal values may be sealed already: where events are stored. Elsewhere a sealed one is refused. */
  readonly acceptsSealed?: boolean;
  /** `version`: the version of its schema that is needed. */
  readonly find: (type: string, version?: number) => EventTypeDefinition | undefined;
  /** The names of the event types, for messages about an unknown one. */
  readonly names: () => Iterable<string>;
}

const EVENT_FIELDS = Object.keys(synapEventSchema.shape);
const WITH_INPUT = { reportInput: true };

/** Number of fields above which an event is refused unread: it has 18, and a few misspelt ones are worth naming. */
export const MAX_EVENT_FIELDS = 100;

/**
 * Validates a complete event: its fields, the values inside `data` and `metadata`, and `data` against its type's schema.
 * All issues are reported at once, but `data` is only validated against its schema when it is valid JSON, because a
 * schema may recurse and invalid JSON may be a million levels deep.
 */
export function readEvent(value: unknown, rules: EventRules): EventReading {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refuse({ path: "", code: "wrong-type", reason: "must be a JSON object" });
  }
  // Zod skips this one name, and nothing else would report it.
  if (Object.hasOwn(value, "__proto__")) {
    return refuse({ path: "__proto__", code: "prototype-key", reason: "a field may not be named __proto__" });
  }
  if (Object.keys(value).length > MAX_EVENT_FIELDS) {
    return refuse({ path: "", code: "unknown-field", reason: "has more fields than an event can have" });
  }
  const content = checkContent(value, rules);
  const plain = content.issues.length === 0 ? readPlainEvent(value) : undefined;
  if (plain !== undefined) return checkSize(plain, content);
  const reading = readBySchema(value, content.issues);
  return reading.ok ? checkSize(reading.event, content) : reading;
}

/** Upper bound on the total size of all fields except `data` and `metadata`. */
const MAX_FIELD_BYTES = 16 * 1024;

/** Checks the size, measuring only an event that may be too large: nearly all are far from it. */
function checkSize(event: SynapEvent, { maxBytes, extraDigits }: ContentCheck): EventReading {
  if (maxBytes + extraDigits + MAX_FIELD_BYTES <= MAX_EVENT_BYTES) return { ok: true, event };
  const bytes = eventBytes(event, extraDigits);
  if (bytes <= MAX_EVENT_BYTES) return { ok: true, event };
  const reason = `takes ${bytes} bytes as JSON with numbers written out in full; at most ${MAX_EVENT_BYTES} are allowed`;
  return refuse({ path: "", code: "event-too-large", reason });
}

/** The slow path: reports every issue and normalises timestamps and UUIDs. */
export function readBySchema(value: object, contentIssues: readonly EventIssue[]): EventReading {
  // Zod would copy all of it, which would take most of the time.
  if (contentIssues.some(({ code }) => code === "too-many-values"))
    return { ok: false, issues: contentIssues };
  const parsed = synapEventSchema.safeParse(value, WITH_INPUT);
  const issues = parsed.success
    ? contentIssues
    : [...toEventIssues(parsed.error.issues, () => EVENT_FIELDS), ...contentIssues];
  if (!parsed.success || issues.length > 0) return { ok: false, issues: issues.slice(0, MAX_ISSUES) };
  const event = normalise(parsed.data, value);
  const late = checkValidity(event);
  return late === undefined ? { ok: true, event } : refuse(late);
}

/** The type of an event, and the version of it that its data has; absent for version 1. */
interface WrittenAs {
  readonly type: string;
  readonly schemaVersion?: number | undefined;
}

/** Validates `data` against the schema of a type without changing it. */
export function checkEventData(as: WrittenAs, data: unknown, rules: EventRules): EventIssue[] {
  const unsound = checkJson(data, { maxDepth: rules.maxDepth, at: ["data"] });
  return unsound.length > 0 ? unsound : checkSchema(as, data, rules);
}

function checkSchema({ type, schemaVersion }: WrittenAs, data: unknown, rules: EventRules): EventIssue[] {
  const definition = rules.find(type, schemaVersion);
  if (definition === undefined) {
    const reason = `names "${type.slice(0, 128)}", which is not in the catalogue${didYouMean(type, rules.names())}`;
    return [{ path: "type", code: "unknown-event-type", reason }];
  }
  const { version: current } = definition;
  const version = schemaVersion ?? 1;
  const written = versionOf(definition, version);
  if (written === undefined) {
    const reason = `is ${version}, but the newest version of "${definition.name}" here is ${current}`;
    return [{ path: "schemaVersion", code: "schema-version-newer", reason }];
  }
  try {
    // Reporting the input takes longer and is needed for issues only.
    if (written.schema.safeParse(data).success) return [];
    const checked = written.schema.safeParse(data, WITH_INPUT);
    if (checked.success) return [];
    const faults = withoutSealed(checked.error.issues, written.personal, data, rules);
    if (faults.length === 0) return [];
    const issues = toEventIssues(faults, fieldsOfJsonSchema(written.jsonSchema), ["data"]);
    if (version === current) return issues;
    // Most often a sender has left the version out.
    const reason = `is ${schemaVersion === undefined ? "absent, which means 1" : version}; the current version of "${definition.name}" is ${current}`;
    return [...issues, { path: "schemaVersion", code: "schema-version-older", reason }];
  } catch (thrown) {
    const reason = `could not be checked, the schema of "${definition.name}" threw: ${thrownFacts(thrown).message}`;
    return [{ path: "data", code: "schema-failed", reason }];
  }
}

function versionOf(definition: EventTypeDefinition, version: number) {
  return version === definition.version ? definition : definition.earlier[version - 1];
}

/** The issues without those of sealed values: these were checked before they were sealed. */
function withoutSealed(
  issues: readonly z.core.$ZodIssue[],
  fields: readonly PersonalField[],
  data: unknown,
  { acceptsSealed = false }: EventRules,
): readonly z.core.$ZodIssue[] {
  if (!acceptsSealed || fields.length === 0 || !isRecord(data)) return issues;
  const sealed = personalValues(fields, data as JsonObject).filter(({ value }) => isSealedValue(value));
  return issues.filter(({ path }) => !leadsInto(sealed, path));
}

/** Finds what is wrong with the personal values of an event whose data satisfies its schema. */
function checkPersonal({ type, schemaVersion }: WrittenAs, value: object, rules: EventRules): EventIssue[] {
  const definition = rules.find(type);
  const personal = definition && versionOf(definition, schemaVersion ?? 1)?.personal;
  if (personal === undefined || personal.length === 0) return [];
  // Fields of a wrong type have issues of their own.
  return personalIssues(personal, value as SynapEvent, { acceptsSealed: rules.acceptsSealed ?? false });
}

/** The examination of an event's content. */
export type ContentCheck = JsonExamination;

/** Finds the issues of `type`, `aggregateType`, `data` and `metadata`, as far as these have the right types. */
export function checkContent(value: object, rules: EventRules): ContentCheck {
  const { type, schemaVersion, data, metadata, aggregateType }: Partial<Record<keyof SynapEvent, unknown>> =
    value;
  const isChecked = typeof type === "string" && isRecord(data);
  const ofData = isChecked ? examineJson(data, { maxDepth: rules.maxDepth, at: ["data"] }) : NOTHING_FOUND;
  const ofMetadata = isRecord(metadata)
    ? examineJson(metadata, { maxDepth: rules.maxDepth, at: ["metadata"] })
    : NOTHING_FOUND;
  const issues = [...ofData.issues];
  if (isChecked) {
    // The schema of the event's fields refuses any other.
    if (issues.length === 0 && (schemaVersion === undefined || isSchemaVersion(schemaVersion))) {
      issues.push(...checkSchema({ type, schemaVersion }, data, rules));
      if (issues.length === 0) issues.push(...checkPersonal({ type, schemaVersion }, value, rules));
    }
    const expected = rules.find(type)?.aggregateType;
    if (expected !== undefined && typeof aggregateType === "string" && aggregateType !== expected) {
      const reason = `"${type}" belongs to the aggregate type "${expected}"`;
      issues.push({ path: "aggregateType", code: "aggregate-type-mismatch", reason });
    }
  }
  issues.push(...ofMetadata.issues);
  if (isRecord(metadata) && ofMetadata.issues.length === 0)
    issues.push(...amendmentFormIssues(metadata as JsonObject));
  return {
    issues,
    maxBytes: ofData.maxBytes + ofMetadata.maxBytes,
    extraDigits: ofData.extraDigits + ofMetadata.extraDigits,
  };
}

const NOTHING_FOUND: ContentCheck = { issues: [], maxBytes: 0, extraDigits: 0 };

function checkValidity({ validFrom, validTo }: SynapEvent): EventIssue | undefined {
  // Both are normalised by now, so text order is time order.
  if (validFrom === undefined || validTo === undefined || validFrom < validTo) return undefined;
  return { path: "validTo", code: "validity-empty", reason: "must be later than validFrom" };
}

type CheckedFields = ReturnType<typeof synapEventSchema.parse>;

/** Normalises an event. `data` and `metadata` are the sender's own objects, not Zod's copies. */
function normalise(fields: CheckedFields, sent: { data?: JsonObject; metadata?: JsonObject }): SynapEvent {
  return assembleEvent({
    ...fields,
    id: fields.id.toLowerCase(),
    data: sent.data ?? fields.data,
    schemaVersion: fields.schemaVersion,
    timestamp: normaliseTimestamp(fields.timestamp),
    userId: fields.userId,
    requestId: fields.requestId,
    correlationId: fields.correlationId,
    causationId: fields.causationId?.toLowerCase(),
    idempotencyKey: fields.idempotencyKey,
    validFrom: fields.validFrom && normaliseTimestamp(fields.validFrom),
    validTo: fields.validTo && normaliseTimestamp(fields.validTo),
    metadata: sent.metadata,
  });
}

function normaliseTimestamp(text: string): string {
  const reading = readTimestamp(text);
  return reading.ok ? reading.text : text;
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuse(issue: EventIssue): EventReading {
  return { ok: false, issues: [issue] };
}
