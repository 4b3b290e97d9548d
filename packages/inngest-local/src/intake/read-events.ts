import { readJson } from "../http/read-body.ts";
import { findTextFault } from "../queue/database.ts";

/** An event as functions receive it. */
export interface InngestEvent {
  readonly id: string;
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly user: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970. */
  readonly ts: number;
  readonly v?: string;
}

/** An event read from a request. */
export interface ReadEvent {
  /** ULID assigned by the broker. */
  readonly internalId: string;
  readonly event: InngestEvent;
  /** The event as JSON text. */
  readonly body: string;
}

/** Maximum size of an event, in bytes of its JSON text. */
const MAX_EVENT_BYTES = 3 * 1024 * 1024;
/** The most events in one request. */
const MAX_EVENTS_A_REQUEST = 5_000;

const NOT_AN_EVENT = "Request body must contain an event object or an array of event objects";
/** Fields of an event with the Go type in the server's error message and the check of a value. */
const FIELDS: readonly [string, string, (value: unknown) => boolean][] = [
  ["name", "string", (value) => typeof value === "string"],
  ["data", "map[string]interface {}", isObject],
  ["id", "string", (value) => typeof value === "string"],
  ["ts", "int64", Number.isSafeInteger],
  ["user", "map[string]interface {}", isObject],
  ["v", "string", (value) => typeof value === "string"],
];
const EARLIEST = Date.UTC(1980, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);

/**
 * Parses the body of an event request: one event, or an array of them. The events before the first invalid one are
 * accepted, as on the Inngest server; `error` then describes the invalid one.
 */
export function readEvents(
  body: string,
  idAt: (index: number) => string,
  now: number,
): { events: ReadEvent[]; error: string | undefined } {
  if (body.trim() === "") return { events: [], error: undefined };
  const reading = readJson(body);
  if (!reading.ok) return { events: [], error: reading.reason };
  const parsed = reading.value;
  if (!Array.isArray(parsed) && !isObject(parsed)) return { events: [], error: NOT_AN_EVENT };
  const values: unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  const events: ReadEvent[] = [];
  for (const [index, value] of values.entries()) {
    if (index >= MAX_EVENTS_A_REQUEST) {
      return { events, error: `Cannot have more than ${MAX_EVENTS_A_REQUEST} events in a batch` };
    }
    const event = readEvent(value, idAt(index), now);
    if (typeof event === "string") return { events, error: event };
    events.push(event);
  }
  return { events, error: undefined };
}

/** @returns the event, or an error message */
function readEvent(value: unknown, internalId: string, now: number): ReadEvent | string {
  const raw = value ?? {};
  if (!isObject(raw)) return `json: cannot unmarshal ${goType(raw)} into Go value of type event.raw`;
  for (const [field, type, fits] of FIELDS) {
    const given = raw[field];
    if (given === undefined || given === null || fits(given)) continue;
    const shown = type === "int64" && typeof given === "number" ? `number ${given}` : goType(given);
    return `json: cannot unmarshal ${shown} into Go struct field raw.${field} of type ${type}`;
  }
  const name = stringOrEmpty(raw["name"]);
  if (name === "") return "event name is empty";
  if (name.toLowerCase().startsWith("inngest/")) return `event name is reserved for internal use: ${name}`;
  for (const field of ["name", "id", "v"]) {
    const fault = findTextFault(stringOrEmpty(raw[field]));
    if (fault !== undefined) return `event ${field} must not contain ${fault}`;
  }
  const ts = Number(raw["ts"] ?? 0);
  if (ts !== 0 && ts < EARLIEST) return "timestamp is before Jan 1, 1980";
  if (ts > LATEST) return "timestamp is after Jan 1, 2100";
  const { _inngest: _, ...data } = isObject(raw["data"]) ? raw["data"] : {};
  const event: InngestEvent = {
    data,
    id: stringOrEmpty(raw["id"]) || internalId,
    name,
    ts: ts === 0 ? now : ts,
    user: isObject(raw["user"]) ? raw["user"] : {},
    ...(stringOrEmpty(raw["v"]) === "" ? {} : { v: stringOrEmpty(raw["v"]) }),
  };
  try {
    const body = JSON.stringify(event);
    const bytes = Buffer.byteLength(body);
    if (bytes > MAX_EVENT_BYTES)
      return `Event is over the max size: Max ${MAX_EVENT_BYTES} bytes / Size ${bytes} bytes`;
    return { internalId, event, body };
  } catch {
    return "event is nested too deeply";
  }
}

function stringOrEmpty(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}
