import { counted } from "@synap/types/internal";
import type { JsonIssue } from "../body/diagnose-json.ts";
import { unreadableBody } from "../body/json-body.ts";
import { type ItemReading, parseJson, parseJsonBatch } from "../body/parse-json.ts";
import { Problem } from "../problems/problem.ts";
import type { EventReading, EventRules } from "./read-event.ts";
import { readEvent } from "./read-event.ts";

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
 * Reads the events of a JSON body: an array, or `{ "events": [...] }`.
 *
 * @throws Problem `malformed-json`, `too-many-values`, `batch-invalid`, `batch-too-large`
 */
export function readJsonBatch(text: string, rules: EventRules, limits: BatchLimits): EventReading[] {
  const batch = parseJsonBatch(text, limits);
  if (!batch.ok) throw bodyProblem(batch.findings, limits);
  if ("items" in batch) {
    requireCount(batch.items.length, limits);
    return batch.items.map((item) => readItem(item, rules));
  }
  const values = listOf(batch.value);
  requireCount(values.length, limits);
  return values.map((value) => readEvent(value, rules));
}

/**
 * Reads the events of an NDJSON body: one a line; empty lines are skipped. A line that is not JSON is one rejected
 * event, since the next line is independent of it.
 *
 * @throws Problem `too-many-values`, `batch-invalid`, `batch-too-large`
 */
export function readNdjsonBatch(text: string, rules: EventRules, limits: BatchLimits): EventReading[] {
  const lines = takeLines(eachLine(text), limits);
  let left = limits.maxValues;
  // All lines are parsed before any event is checked: checking is most of the work, and would be wasted on a refused body.
  const items = lines.map(({ content, number }) => {
    const reading = parseJson(content, { ...limits, maxValues: left });
    if (!reading.ok && reading.values > left) throw bodyProblem(reading.findings, limits);
    left -= reading.values;
    return { reading, number };
  });
  return items.map(({ reading, number }) => readItem(reading, rules, ` in line ${number}`));
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

function readItem(item: ItemReading, rules: EventRules, where = ""): EventReading {
  if (item.ok) return readEvent(item.value, rules);
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
