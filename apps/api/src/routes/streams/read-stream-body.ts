import type { StreamEventInput } from "@synap/database";
import type { ExpectedVersion } from "@synap/types";
import { expectedVersion } from "@synap/types/http";
import type { ApiContext, ApiDependencies } from "../../api-dependencies.ts";
import { isJsonObject } from "../../body/json-object.ts";
import { readJson } from "../../body/read-body.ts";
import { Problem } from "../../problems/problem.ts";
import { eventProblem } from "../../problems/to-problem.ts";
import { unifySpelling } from "../../representations/snake-case.ts";

/** Maximum number of events in one append, which stores all or none in one call. */
export const MAX_STREAM_EVENTS = 1024;

/** The body of an append. The store checks the events themselves. */
export interface StreamBody {
  readonly events: readonly StreamEventInput[];
  readonly expectedVersion: ExpectedVersion | undefined;
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
  const events = sent.map(readStreamEvent);
  const { expectedVersion: camel, expected_version: snake } = body;
  if (camel !== undefined && snake !== undefined)
    throw formless('"expected_version" is given as "expectedVersion" too.');
  const given = camel ?? snake;
  if (given === undefined) return { events, expectedVersion: undefined };
  const expected = expectedVersion.safeParse(given);
  if (expected.success) return { events, expectedVersion: expected.data };
  throw new Problem(
    "precondition-invalid",
    "expectedVersion must be any, no-stream, stream-exists or a version.",
  );
}

/** Reads an event, whose fields may be in snake case. @throws Problem for a field in both spellings, and for no event */
function readStreamEvent(sent: unknown, index: number): StreamEventInput {
  const { event, issues } = (isJsonObject(sent) ? unifySpelling(sent) : undefined) ?? {
    event: sent,
    issues: [],
  };
  const faults = issues.map((issue) => ({ ...issue, path: `events[${index}].${issue.path}` }));
  if (faults.length > 0) throw eventProblem(faults);
  if (isEvent(event)) return event;
  throw formless(`events[${index}] must be an object with "type" and "data".`);
}

function formless(detail: string): Problem {
  return new Problem("batch-invalid", detail);
}

/** Minimal check of an event; the store's own check reports everything else. */
function isEvent(value: unknown): value is StreamEventInput {
  return isJsonObject(value) && typeof value["type"] === "string" && isJsonObject(value["data"]);
}
