import type { StreamEventInput } from "@synap/database";
import type { EventIssue, ExpectedVersion } from "@synap/types";
import { expectedVersion } from "@synap/types/http";
import type { ApiContext, ApiDependencies } from "../../api-dependencies.ts";
import { isJsonObject } from "../../body/json-object.ts";
import { readJson } from "../../body/read-body.ts";
import { Problem } from "../../problems/problem.ts";
import { eventProblem } from "../../problems/to-problem.ts";
import { type UnifiedEvent, unifySpelling } from "../../representations/snake-case.ts";

/** Maximum number of events in one append, which stores all or none in one call. */
export const MAX_STREAM_EVENTS = 1024;

/** The body of an append. The store checks the events themselves. */
export interface StreamBody {
  readonly events: readonly StreamEventInput[];
  readonly expectedVersion: ExpectedVersion | undefined;
  /** Names the field of an issue, whose path begins with `events[i]`, as the sender has spelt it. */
  readonly named: (issue: EventIssue) => EventIssue;
}

/** Reads and checks the body of an append. @throws Problem for a malformed body */
export async function readStreamBody(
  context: ApiContext,
  { configuration }: ApiDependencies,
): Promise<StreamBody> {
  // The body, its list and an event are around an event's data.
  return readForm(await readJson(context.req.raw, configuration, { around: 3, problemOf: eventProblem }));
}

/** The fields of the body; all but `events` may be in snake case. */
const FIELDS: ReadonlySet<string> = new Set(["events", "expectedVersion", "expected_version"]);

function readForm(body: unknown): StreamBody {
  if (!isJsonObject(body)) throw formless('The body must be an object with an array "events".');
  const unknown = Object.keys(body).filter((name) => !FIELDS.has(name));
  if (unknown.length > 0) {
    throw formless(
      `Unknown field ${JSON.stringify(unknown[0]?.slice(0, 64))}; allowed: events, expectedVersion.`,
    );
  }
  const { events: sent } = body;
  if (!Array.isArray(sent)) throw formless('The array "events" is missing.');
  if (sent.length === 0) throw formless('"events" is empty.');
  if (sent.length > MAX_STREAM_EVENTS) {
    throw new Problem("batch-too-large", `An append may have at most ${MAX_STREAM_EVENTS} events.`, {
      members: { limit: MAX_STREAM_EVENTS },
    });
  }
  const readings = sent.map(readStreamEvent);
  const events = readings.map(({ event }) => event);
  const named = namedIn(readings);
  const { expectedVersion: camel, expected_version: snake } = body;
  if (camel !== undefined && snake !== undefined)
    throw formless('"expected_version" is given as "expectedVersion" too.');
  const given = camel ?? snake;
  if (given === undefined) return { events, expectedVersion: undefined, named };
  const expected = expectedVersion.safeParse(given);
  if (expected.success) return { events, expectedVersion: expected.data, named };
  throw new Problem(
    "precondition-invalid",
    `${camel === undefined ? "expected_version" : "expectedVersion"} must be any, no-stream, stream-exists or a version.`,
  );
}

interface ReadStreamEvent {
  readonly event: StreamEventInput;
  /** Names the field of an issue as the event has spelt it; undefined for one in camel case. */
  readonly named: UnifiedEvent["named"] | undefined;
}

/** Reads an event, whose fields may be in snake case. @throws Problem for a field in both spellings, and for no event */
function readStreamEvent(sent: unknown, index: number): ReadStreamEvent {
  const { event, issues, named } = (isJsonObject(sent) ? unifySpelling(sent) : undefined) ?? {
    event: sent,
    issues: [],
    named: undefined,
  };
  const faults = issues.map((issue) => ({ ...issue, path: `events[${index}].${issue.path}` }));
  if (faults.length > 0) throw eventProblem(faults);
  // Without a version it is the first: programs that know of no other may still send.
  if (isEvent(event)) return { event: { schemaVersion: 1, ...event }, named };
  throw formless(`events[${index}] must be an object with "type" and "data".`);
}

const OF_EVENT = /^events\[(\d+)\]\./;

/** Names the fields of each event as that event has spelt them. */
function namedIn(readings: readonly ReadStreamEvent[]): StreamBody["named"] {
  return (issue) => {
    const [place = "", index] = OF_EVENT.exec(issue.path) ?? [];
    const named = index === undefined ? undefined : readings[Number(index)]?.named;
    if (named === undefined) return issue;
    const { path, ...rest } = named({ ...issue, path: issue.path.slice(place.length) });
    return { ...rest, path: `${place}${path}` };
  };
}

function formless(detail: string): Problem {
  return new Problem("batch-invalid", detail);
}

/** Minimal check of an event; the store's own check reports everything else. */
function isEvent(value: unknown): value is StreamEventInput {
  return isJsonObject(value) && typeof value["type"] === "string" && isJsonObject(value["data"]);
}
