import type { EventCatalogue, EventIssue, SynapEvent, TraceContext } from "@synap/types";
import { checkTimestampWindow, counted, MAX_EVENT_FIELDS, withTraceContext } from "@synap/types/internal";
import type { JsonIssue } from "../body/diagnose-json.ts";
import { isJsonObject } from "../body/json-object.ts";
import { type ItemReading, parseJson, parseJsonBatch } from "../body/parse-json.ts";
import { unreadableBody } from "../body/read-body.ts";
import { Problem } from "../problems/problem.ts";
import { unifySpelling } from "../representations/snake-case.ts";
import { type ActorFields, actorIssues } from "./acting.ts";
import { type GivenIdentity, isIdentified, withIdentity } from "./idempotency-key.ts";

/** A checked event of a request, or its issues. */
export type EventReading =
  | {
      readonly ok: true;
      readonly event: SynapEvent;
      readonly isIdentified: boolean;
      /** Puts later issues into the sender's words; absent where those are the names of the fields. */
      readonly named?: (issue: EventIssue) => EventIssue;
    }
  | { readonly ok: false; readonly issues: readonly EventIssue[] };

/** Rules that an event is checked against. */
export interface EventRules {
  readonly catalogue: EventCatalogue;
  /** Maximum age of an event, in milliseconds; undefined for a backfill, which may be any age. */
  readonly lateness: number | undefined;
  /** The actor fields of all events; undefined if each event has its own. */
  readonly actor: ActorFields | undefined;
  /** The trace of the request, for events without one of their own. */
  readonly trace: TraceContext | undefined;
  /** The identity of the event by the header Idempotency-Key. */
  readonly identity?: GivenIdentity | undefined;
}

/** Reads and checks an event of a request, whose index is from 0. */
export type ReadEvent = (sent: unknown, index: number) => EventReading;

/**
 * Fills in defaults and checks one event. `isIdentified` means that the sender gave it an id or an idempotency key; without
 * one it can't be a duplicate. An event from the future is refused even in a backfill. Its fields may be in snake case.
 */
export function readEvent(sent: unknown, rules: EventRules): EventReading {
  const unified = isJsonObject(sent) ? unifySpelling(sent) : undefined;
  if (unified === undefined) return readUnified(sent, rules);
  if (unified.issues.length > 0) return { ok: false, issues: unified.issues };
  return inWordsOf(readUnified(unified.event, rules), unified.named);
}

/** A reading whose issues, and those that are found later, name fields as the sender does. */
export function inWordsOf(reading: EventReading, named: (issue: EventIssue) => EventIssue): EventReading {
  if (!reading.ok) return { ok: false, issues: reading.issues.map(named) };
  const { named: inner } = reading;
  return { ...reading, named: inner === undefined ? named : (issue) => named(inner(issue)) };
}

function readUnified(sent: unknown, rules: EventRules): EventReading {
  const { identity } = rules;
  if (identity === undefined || !isJsonObject(sent)) return readPlain(sent, rules);
  const identified = withIdentity(sent, identity);
  if ("issue" in identified) return { ok: false, issues: [identified.issue] };
  const { event, named } = identified;
  const reading = readPlain(event, rules);
  return named === undefined ? reading : inWordsOf(reading, named);
}

function readPlain(value: unknown, rules: EventRules): EventReading {
  const issues = isJsonObject(value) ? actorIssues(value, rules.actor) : [];
  if (issues.length > 0) return { ok: false, issues };
  const reading = rules.catalogue.safeParseSynapEvent(isJsonObject(value) ? complete(value, rules) : value);
  if (!reading.ok) return reading;
  const { event } = reading;
  const issue = checkTimestampWindow(event, {
    now: Date.now(),
    lateness: rules.lateness ?? Number.POSITIVE_INFINITY,
  });
  if (issue !== undefined) return { ok: false, issues: [issue] };
  return {
    ok: true,
    event,
    isIdentified: isJsonObject(value) && isIdentified(value),
  };
}

/**
 * Fills in defaults for absent fields. Present fields are unchanged, including null and unknown ones, so that the check
 * that follows refuses them.
 */
function complete(value: object, { catalogue, actor, trace }: EventRules): object {
  // The check refuses it, and copying so many fields would cost more than everything else.
  if (Object.keys(value).length > MAX_EVENT_FIELDS) return value;
  const given: Partial<Record<keyof SynapEvent, unknown>> = value;
  const { id, version, aggregateType, aggregateId, createdBy, source, timestamp } = catalogue.completeEvent({
    type: textOr(given.type, ""),
    data: {},
    // Passed on, so that no id is generated for an event that has one.
    id: textOr(given.id, undefined),
    aggregateId: textOr(given.aggregateId, undefined),
    timestamp: textOr(given.timestamp, undefined),
    userId: textOr(given.userId, undefined),
  });
  const complete = {
    id,
    version,
    aggregateType,
    aggregateId,
    createdBy,
    source,
    timestamp,
    ...value,
    ...actor,
  };
  const { metadata } = given;
  if (trace === undefined || !(metadata === undefined || isJsonObject(metadata))) return complete;
  return { ...complete, metadata: withTraceContext(metadata, trace) };
}

function textOr<Fallback>(value: unknown, fallback: Fallback): string | Fallback {
  return typeof value === "string" ? value : fallback;
}

/** Limits of a batch. */
export interface BatchLimits {
  readonly maxEvents: number;
  /** Maximum nesting of an event's data. */
  readonly maxDepth: number;
  /** Number of containers of an event around its data. */
  readonly around: number;
  /** Maximum number of values in the whole body. */
  readonly maxValues: number;
}

/**
 * Reads the events of a JSON body: an array, or `{ "events": [...] }`. `read` reads each of them.
 *
 * @throws Problem `malformed-json`, `too-many-values`, `batch-invalid`, `batch-too-large`
 */
export function readJsonBatch(text: string, limits: BatchLimits, read: ReadEvent): EventReading[] {
  const batch = parseJsonBatch(text, limits);
  if (!batch.ok) throw bodyProblem(batch.findings, limits);
  if ("items" in batch) {
    requireCount(batch.items.length, limits);
    return batch.items.map((item, index) => readItem(item, index, { read }));
  }
  const values = listOf(batch.value);
  requireCount(values.length, limits);
  return values.map(read);
}

/**
 * Reads the events of an NDJSON body: one a line; empty lines are skipped. A line that is not JSON is one rejected
 * event, since the next line is independent of it.
 *
 * @throws Problem `too-many-values`, `batch-invalid`, `batch-too-large`
 */
export function readNdjsonBatch(text: string, limits: BatchLimits, read: ReadEvent): EventReading[] {
  const lines = takeLines(eachLine(text), limits);
  let left = limits.maxValues;
  // All lines are parsed before any event is checked: checking is most of the work, and would be wasted on a refused body.
  const items = lines.map(({ content, number }) => {
    const reading = parseJson(content, { ...limits, maxValues: left });
    if (!reading.ok && reading.values > left) throw bodyProblem(reading.findings, limits);
    left -= reading.values;
    return { reading, number };
  });
  return items.map(({ reading, number }, index) =>
    readItem(reading, index, { read, where: ` in line ${number}` }),
  );
}

/** The lines of a text, one at a time. */
function* eachLine(text: string): Generator<string> {
  let start = 0;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
    yield text.slice(start, end);
    start = end + 1;
  }
  yield text.slice(start);
}

/** A line of an NDJSON body that is not empty. */
interface NumberedLine {
  readonly content: string;
  /** Counted from 1. */
  readonly number: number;
}

/** Maximum number of lines: allows an empty line after each event, and one at the end. */
const LINES_PER_EVENT = 2;

/**
 * Reads the lines that are not empty. Stops at the limits, because a body may have millions of lines, even empty ones.
 *
 * @throws Problem `batch-invalid`, `batch-too-large`
 */
export function takeLines(
  lines: Iterable<string>,
  { maxEvents }: Pick<BatchLimits, "maxEvents">,
): NumberedLine[] {
  const maxLines = LINES_PER_EVENT * maxEvents + 1;
  const taken: NumberedLine[] = [];
  let number = 0;
  for (const content of lines) {
    number += 1;
    if (number > maxLines) throw tooManyLines(maxLines, maxEvents);
    if (content.trim() === "") continue;
    taken.push({ content, number });
    if (taken.length > maxEvents) throw tooManyEvents(maxEvents);
  }
  if (taken.length === 0) throw emptyBatch();
  return taken;
}

function readItem(
  item: ItemReading,
  index: number,
  { read, where = "" }: { read: ReadEvent; where?: string },
): EventReading {
  if (item.ok) return read(item.value, index);
  const issues = item.findings.map(({ code, path, reason }) => ({
    path,
    code,
    reason: code === "malformed-json" ? `${reason}${where}` : reason,
  }));
  return { ok: false, issues };
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value !== "object" || value === null) {
    throw invalid(
      "",
      "wrong-type",
      'A batch is an array of events, or an object with such an array under "events".',
    );
  }
  const stranger = Object.keys(value).find((name) => name !== "events");
  if (stranger !== undefined) {
    const name = stranger.slice(0, 64);
    throw invalid(name, "unknown-field", `Unknown field "${name}"; allowed: events.`);
  }
  const events: unknown = Object.hasOwn(value, "events") ? Reflect.get(value, "events") : undefined;
  if (!Array.isArray(events)) throw invalid("events", "wrong-type", '"events" must be an array of events.');
  return events;
}

function requireCount(count: number, { maxEvents }: BatchLimits): void {
  if (count === 0) throw emptyBatch();
  if (count > maxEvents) throw tooManyEvents(maxEvents);
}

function emptyBatch(): Problem {
  return invalid("events", "too-small", "The batch is empty.");
}

function tooManyEvents(limit: number): Problem {
  return new Problem("batch-too-large", `A batch may have at most ${counted(limit, "event")}.`, {
    members: { limit },
  });
}

function tooManyLines(maxLines: number, limit: number): Problem {
  const detail = `A batch of at most ${counted(limit, "event")} may have at most ${counted(maxLines, "line")}, including empty ones.`;
  return new Problem("batch-too-large", detail, { members: { limit } });
}

function invalid(path: string, code: string, detail: string): Problem {
  return new Problem("batch-invalid", detail, { errors: [{ path, code, reason: detail }] });
}

function bodyProblem(findings: readonly JsonIssue[], { maxValues }: BatchLimits): Problem {
  const unreadable = unreadableBody(findings, maxValues);
  if (unreadable !== undefined) return unreadable;
  const errors = findings.slice(0, 100).map(({ path, code, reason }) => ({ path, code, reason }));
  const [first] = errors;
  return new Problem("batch-invalid", `"${first?.path}" ${first?.reason}.`, { errors });
}
