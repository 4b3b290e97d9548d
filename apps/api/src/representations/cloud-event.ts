import {
  type EventIssue,
  type JsonObject,
  type JsonValue,
  readTimestamp,
  type StoredEvent,
} from "@synap/types";
import { derivedId } from "./derived-id.ts";
import { renameField } from "./rename-field.ts";

/** The media type of one CloudEvent as JSON. */
export const CLOUD_EVENT_TYPE = "application/cloudevents+json";
/** The media type of a JSON array of CloudEvents. */
export const CLOUD_EVENTS_TYPE = "application/cloudevents-batch+json";

/** The fields of an event by the attribute of a CloudEvent that has the same meaning, extensions included. */
export const FIELD_OF = {
  type: "type",
  subject: "aggregateId",
  time: "timestamp",
  aggregatetype: "aggregateType",
  createdby: "createdBy",
  userid: "userId",
  requestid: "requestId",
  correlationid: "correlationId",
  causationid: "causationId",
  idempotencykey: "idempotencyKey",
  validfrom: "validFrom",
  validto: "validTo",
  synapversion: "version",
  schemaversion: "schemaVersion",
} as const satisfies Readonly<Record<string, keyof StoredEvent>>;

const FIELDS: ReadonlyMap<string, string> = new Map(Object.entries(FIELD_OF));
/** Attributes that the store assigns: they are sent with stored events, and ignored in those that are published. */
const ASSIGNED: ReadonlySet<string> = new Set(["position", "streamversion", "recordedtime"]);
/** The attributes of W3C trace context, which are in the metadata by the same names. */
const TRACE: ReadonlySet<string> = new Set(["traceparent", "tracestate"]);
/** Attributes with a meaning for the event itself. */
const OWN: ReadonlySet<string> = new Set([
  ...["specversion", "id", "source", "datacontenttype", "synapid", "synapsource", "synapmetadata"],
  ...FIELDS.keys(),
  ...ASSIGNED,
  ...TRACE,
]);
/** Attributes of which the metadata has the original where the event can't. */
const ORIGINALS: ReadonlySet<string> = new Set(["id", "time", "datacontenttype"]);

const NAME = /^[a-z0-9]+$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const CHARACTER = "(?:[\\w.~!$&'()*+,;=:@/?-]|%[0-9a-f]{2})";
const AUTHORITY = `//(?:[\\w.~!$&'()*+,;=:-]*@)?[\\w.~-]*(?::\\d*)?(?=[/?#]|$)`;
const URI = `[a-z][a-z0-9+.-]*:(?:${AUTHORITY}|(?!//))${CHARACTER}*`;
const RELATIVE = `(?:${AUTHORITY}|(?!//)(?:[\\w.~!$&'()*+,;=@-]|%[0-9a-f]{2})*(?=[/?#]|$))${CHARACTER}*`;
const ABSOLUTE_URI = new RegExp(`^${URI}(?:#${CHARACTER}*)?$`, "i");
/** Addresses with brackets are left out: they are rare, and `synapsource` keeps them. */
const URI_REFERENCE = new RegExp(`^(?:${URI}|${RELATIVE})(?:#${CHARACTER}*)?$`, "i");
const FINE_TIME = /^(.*\.\d{3})(\d+)(z|[+-]\d\d:\d\d)$/i;
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

/** A CloudEvent as an event that can be published, or its faults by the attribute. */
export interface CloudEventReading {
  readonly event: Readonly<Record<string, unknown>>;
  readonly issues: readonly EventIssue[];
}

/**
 * Turns a CloudEvent into an event, without validating it. Attributes without a field of an event, and values that an event can't
 * have, are kept in `metadata.cloudevents`, so that `toCloudEvent` gives them back.
 *
 * @param parseMetadata parses the JSON of `synapmetadata`; undefined if it is none
 */
export function fromCloudEvent(
  sent: Readonly<Record<string, unknown>>,
  parseMetadata: (text: string) => JsonObject | undefined,
): CloudEventReading {
  const issues: EventIssue[] = [];
  const kept: Record<string, unknown> = {};
  const trace: Record<string, unknown> = {};
  const event: Record<string, unknown> = {};
  const refuse = (path: string, code: string, reason: string) => issues.push({ path, code, reason });
  let metadata: JsonObject | undefined;
  for (const [name, value] of Object.entries(sent)) {
    if (name === "data") event["data"] = value;
    else if (name === "data_base64") refuse(name, "unknown-field", "can't be stored: the data must be JSON");
    else if (!NAME.test(name))
      refuse(
        name.slice(0, 64),
        "unknown-field",
        "is no name of an attribute: lower case letters and digits only",
      );
    // Null means that an attribute is not set.
    else if (value === null || ASSIGNED.has(name)) continue;
    else if (!isAttribute(value))
      refuse(name, "wrong-type", "must be text, a whole number of 32 bits, or true or false");
    else if (name === "dataschema" && !isUri(value)) refuse(name, "wrong-format", "must be an absolute URI");
    else if (name === "synapmetadata") {
      metadata = parseMetadata(String(value));
      if (metadata === undefined) refuse(name, "wrong-format", "must be a JSON object as text");
    } else if (name === "datacontenttype") {
      if (!JSON_TYPE.test(String(value))) refuse(name, "not-allowed", "must be application/json");
      if (value !== "application/json") kept[name] = value;
    } else if (name === "time" && FINE_TIME.test(String(value))) {
      event["timestamp"] = String(value).replace(FINE_TIME, "$1$3");
      kept[name] = value;
    } else if (name === "schemaversion") event["schemaVersion"] = readWhole(value);
    else if (TRACE.has(name)) trace[name] = value;
    else if (FIELDS.has(name)) event[FIELDS.get(name) ?? name] = value;
    else if (!OWN.has(name)) kept[name] = value;
  }
  const { id, source, synapid, synapsource, specversion } = sent;
  if (specversion === undefined) refuse("specversion", "missing", "is required");
  else if (specversion !== "1.0") refuse("specversion", "not-allowed", 'must be "1.0"');
  if (typeof id !== "string" || id === "") refuse("id", "missing", "is required");
  if (typeof source !== "string" || source === "") refuse("source", "missing", "is required");
  event["source"] = synapsource ?? source;
  event["id"] = synapid ?? (UUID.test(String(id)) ? id : derivedId(`${String(source)}\0${String(id)}`));
  if (event["id"] !== id) kept["id"] = id;
  if (metadata !== undefined || Object.keys(kept).length + Object.keys(trace).length > 0)
    event["metadata"] = {
      ...metadata,
      ...trace,
      ...(Object.keys(kept).length > 0 && { cloudevents: kept }),
    };
  return { event, issues };
}

/** The attribute of a CloudEvent that has a field of an event. */
export function attributeOf(field: string): string {
  const [attribute = field] = Object.entries(FIELD_OF).find(([, name]) => name === field) ?? [];
  return attribute;
}

const IN_METADATA = /^metadata(?:\.cloudevents\.([a-z0-9]+)|\.(traceparent|tracestate))?/;

/** Names the attribute in which the sender of a CloudEvent has given what an issue is about. */
export function namedAsAttribute(issue: EventIssue, sent: Readonly<Record<string, unknown>>): EventIssue {
  const { path } = issue;
  const [found, kept, trace] = IN_METADATA.exec(path) ?? [];
  if (found !== undefined)
    return { ...issue, path: `${kept ?? trace ?? "synapmetadata"}${path.slice(found.length)}` };
  return renameField(issue, (field) => {
    const extension = `synap${field}`;
    // An id and a source that a CloudEvent can't have are in extensions.
    if (field === "id" || field === "source") return isSet(sent[extension]) ? extension : field;
    return attributeOf(field);
  });
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Writes a stored event as a CloudEvent. `fromCloudEvent` gives the event back. */
export function toCloudEvent(stored: StoredEvent): Readonly<Record<string, unknown>> {
  const { id, source, data, position, streamVersion, recordedAt } = stored;
  const { kept, trace, rest } = splitMetadata(stored);
  const attributes = Object.entries(FIELD_OF).map(([name, field]) => [name, stored[field]]);
  const hasOtherId = kept["id"] !== undefined;
  const hasUri = URI_REFERENCE.test(source);
  return Object.fromEntries(
    Object.entries({
      specversion: "1.0",
      id,
      source: hasUri ? source : "urn:synap",
      ...Object.fromEntries(attributes),
      datacontenttype: "application/json",
      ...(!hasUri && { synapsource: source }),
      ...trace,
      ...(hasOtherId && { synapid: id }),
      ...(rest !== undefined && { synapmetadata: JSON.stringify(rest) }),
      // CloudEvents has whole numbers of 32 bits only.
      position: String(position),
      streamversion: String(streamVersion),
      recordedtime: recordedAt,
      ...kept,
      data,
    }).filter(([, value]) => value !== undefined),
  );
}

/** Splits metadata into what becomes attributes, and the rest; undefined if nothing is left that has to be sent. */
function splitMetadata(stored: StoredEvent): {
  kept: JsonObject;
  trace: JsonObject;
  rest: JsonObject | undefined;
} {
  const { metadata } = stored;
  const kept = keptOf(metadata?.["cloudevents"], stored);
  const isTrace = (name: string, value: JsonValue | undefined) =>
    TRACE.has(name) && typeof value === "string" && value !== "";
  const entries = Object.entries(metadata ?? {});
  const trace = entries.filter(([name, value]) => isTrace(name, value));
  const rest = entries.filter(
    ([name, value]) => !isTrace(name, value) && !(name === "cloudevents" && kept !== undefined),
  );
  const isWhole = metadata === undefined || (rest.length === 0 && entries.length > 0);
  return {
    kept: kept ?? {},
    trace: Object.fromEntries(trace),
    rest: isWhole ? undefined : Object.fromEntries(rest),
  };
}

/** Metadata that `fromCloudEvent` has written; undefined for anything else that has this name. */
function keptOf(value: JsonValue | undefined, stored: StoredEvent): JsonObject | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  const isKept = ([name, member]: [string, JsonValue | undefined]) =>
    NAME.test(name) &&
    isAttribute(member) &&
    (name !== "dataschema" || isUri(member)) &&
    (ORIGINALS.has(name) ? isOriginal(name, member, stored) : !OWN.has(name) && name !== "data");
  return entries.length > 0 && entries.every(isKept) ? value : undefined;
}

/** True for an attribute that this event can't have itself. */
function isOriginal(name: string, value: JsonValue | undefined, { id, timestamp }: StoredEvent): boolean {
  if (typeof value !== "string" || value === "") return false;
  if (name === "id") return value !== id;
  if (name === "datacontenttype") return JSON_TYPE.test(value) && value !== "application/json";
  const reading = readTimestamp(value.replace(FINE_TIME, "$1$3"));
  return FINE_TIME.test(value) && reading.ok && reading.text === timestamp;
}

/** A whole number, which in binary mode is the text of a header. Anything else stays as it is, and is refused. */
function readWhole(value: string | number | boolean): unknown {
  return typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : value;
}

function isUri(value: unknown): boolean {
  return typeof value === "string" && ABSOLUTE_URI.test(value);
}

function isAttribute(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "boolean" || isInteger32(value);
}

/** True for an Integer of CloudEvents: a whole number of 32 bits with a sign. */
function isInteger32(value: unknown): boolean {
  return typeof value === "number" && Math.trunc(value) === value && Math.abs(value + 0.5) < 2 ** 31;
}
