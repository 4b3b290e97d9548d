import type { JsonObject } from "@synap/types";
import { MAX_EVENT_FIELDS } from "@synap/types/internal";
import { isJsonObject } from "../body/json-object.ts";
import { parseJson } from "../body/parse-json.ts";
import { fromCloudEvent, namedAsAttribute } from "../representations/cloud-event.ts";
import { type EventReading, type EventRules, inWordsOf, readEvent } from "./read-events.ts";

/** Limits of metadata that is sent as text. */
const METADATA_LIMITS = { maxDepth: 32, maxValues: 50_000 };

/** Reads a CloudEvent, and checks it as any other event. Issues name its attributes. */
export function readCloudEvent(sent: unknown, rules: EventRules): EventReading {
  if (!isJsonObject(sent) || Object.keys(sent).length > MAX_EVENT_FIELDS) return readEvent(sent, rules);
  const { event, issues } = fromCloudEvent(sent, parseMetadata);
  if (issues.length > 0) return { ok: false, issues };
  return inWordsOf(readEvent(event, rules), (issue) => namedAsAttribute(issue, sent));
}

function parseMetadata(text: string): JsonObject | undefined {
  const reading = parseJson(text, METADATA_LIMITS);
  return reading.ok && isJsonObject(reading.value) ? reading.value : undefined;
}

/** True if the headers of a request have the attributes of a CloudEvent, and its body the data (binary mode). */
export function isBinaryMode(headers: Headers): boolean {
  return headers.has("ce-specversion");
}

/** Members of a CloudEvent that have a place of their own in binary mode (sections 3.1.1 and 3.1.2 of the HTTP binding). */
const PLACE_IN_BINARY_MODE: ReadonlyMap<string, string> = new Map([
  ["data", "the body"],
  ["data_base64", "the body"],
  ["datacontenttype", "Content-Type"],
]);

/** Reads a CloudEvent of binary mode. */
export function readBinaryCloudEvent(headers: Headers, data: unknown, rules: EventRules): EventReading {
  const attributes = [...headers]
    .filter(([name]) => name.startsWith("ce-"))
    .map(([name, value]): [string, string | undefined] => [name.slice(3), decodeValue(value)]);
  const issues = attributes.flatMap(([path, value]) => {
    const place = PLACE_IN_BINARY_MODE.get(path);
    if (place !== undefined)
      return [{ path, code: "unknown-field", reason: `is no header here: it is ${place}` }];
    return value === undefined
      ? [{ path, code: "wrong-format", reason: "is not percent-encoded UTF-8" }]
      : [];
  });
  if (issues.length > 0) return { ok: false, issues };
  return readCloudEvent({ ...Object.fromEntries(attributes), data }, rules);
}

/** Decodes a header's value (section 3.1.3.2 of the HTTP binding); undefined if it is not UTF-8. */
function decodeValue(value: string): string | undefined {
  const text = /^"(?:[^"\\]|\\.)*"$/.test(value) ? value.slice(1, -1).replaceAll(/\\(.)/g, "$1") : value;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
