import type { StreamEventInput } from "@synap/database";
import type { ExpectedVersion } from "@synap/types";
import { expectedVersion } from "@synap/types/http";
import type { ApiContext, ApiDependencies } from "../../api-dependencies.ts";
import { parseJson } from "../../body/parse-json.ts";
import { decodeText, readBody, unreadableBody } from "../../body/read-body.ts";
import { Problem } from "../../problems/problem.ts";
import { eventProblem } from "../../problems/to-problem.ts";

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
  const request = context.req.raw;
  const text = decodeText(await readBody(request, configuration.maxBodyBytes));
  // The body, its list and an event are three levels around an event's data.
  const { maxDepth, maxBodyValues: maxValues } = configuration;
  const reading = parseJson(text, { maxDepth, around: 3, maxValues });
  if (reading.ok) return readForm(reading.value);
  const unreadable = unreadableBody(reading.findings, maxValues);
  if (unreadable !== undefined) throw unreadable;
  throw eventProblem(reading.findings.map(({ code, path, reason }) => ({ code, path, reason })));
}

function readForm(body: unknown): StreamBody {
  if (!isObject(body)) throw formless('The body must be an object with an array "events".');
  const unknown = Object.keys(body).filter((name) => name !== "events" && name !== "expectedVersion");
  if (unknown.length > 0) {
    throw formless(
      `Unknown field ${JSON.stringify(unknown[0]?.slice(0, 64))}; allowed: events, expectedVersion.`,
    );
  }
  const { events } = body;
  if (!Array.isArray(events)) throw formless('The array "events" is missing.');
  if (events.length === 0) throw formless('"events" is empty.');
  if (events.length > MAX_STREAM_EVENTS) {
    throw new Problem("batch-too-large", `An append may have at most ${MAX_STREAM_EVENTS} events.`, {
      members: { limit: MAX_STREAM_EVENTS },
    });
  }
  const wrong = events.findIndex((event) => !isEvent(event));
  if (wrong >= 0) throw formless(`events[${wrong}] must be an object with "type" and "data".`);
  const given = body["expectedVersion"];
  if (given === undefined) return { events, expectedVersion: undefined };
  const expected = expectedVersion.safeParse(given);
  if (expected.success) return { events, expectedVersion: expected.data };
  throw new Problem(
    "precondition-invalid",
    "expectedVersion must be any, no-stream, stream-exists or a version.",
  );
}

function formless(detail: string): Problem {
  return new Problem("batch-invalid", detail);
}

/** Minimal check of an event; the store's own check reports everything else. */
function isEvent(value: unknown): value is StreamEventInput {
  return isObject(value) && typeof value["type"] === "string" && isObject(value["data"]);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
