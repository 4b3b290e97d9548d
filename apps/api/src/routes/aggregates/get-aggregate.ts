import type { RouteConfig } from "@hono/zod-openapi";
import type { ServedAggregate } from "@synap/synap/internal";
import { readTimestamp } from "@synap/types";
import { moment, wholeNumber } from "@synap/types/http";
import { didYouMean } from "@synap/types/internal";
import { z } from "zod";
import type { ApiApp, ApiPorts } from "../../api-context.ts";
import { Problem } from "../../problems/problem.ts";
import {
  json,
  jsonAnswer,
  problemAnswers,
  readPathParameter,
  readQuery,
  registerRoute,
} from "../route-registration.ts";
import { aggregateId, versionTag } from "./aggregate-path.ts";

const aggregateType = z
  .string()
  .max(64)
  .regex(/^[a-z][a-z0-9_-]*$/, "must consist of lower-case letters, digits, _ and -")
  .describe("The aggregate type, for example reservation.");
const momentQuery = z.strictObject({
  version: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional().describe("State at this version."),
  at: moment.optional().describe("State at this moment, by the timestamps of the events."),
});

const route = {
  method: "get",
  path: "/api/v1/aggregates/{type}/{id}",
  operationId: "getAggregate",
  tags: ["aggregates"],
  summary: "Get an aggregate's state, now or at any version or moment",
  request: { params: z.object({ type: aggregateType, id: aggregateId }), query: momentQuery },
  responses: {
    200: {
      ...jsonAnswer("The aggregate.", "Aggregate"),
      headers: { ETag: { description: "The version, for If-Match.", schema: { type: "string" } } },
    },
    ...problemAnswers(
      "parameter-invalid",
      "parameter-unknown",
      "aggregate-type-unknown",
      "aggregate-not-found",
      "version-not-found",
      "database-unavailable",
    ),
  },
} satisfies RouteConfig;

/** GET /api/v1/aggregates/{type}/{id} */
export function getAggregateRoute(app: ApiApp, { aggregates }: ApiPorts): void {
  registerRoute(app, route, async (context) => {
    const query = readQuery(context, momentQuery);
    const type = readPathParameter(context, "type", aggregateType);
    const id = readPathParameter(context, "id", aggregateId);
    const { repository } = find(aggregates, type);
    if (query.version !== undefined && query.at !== undefined) {
      throw new Problem("parameter-invalid", 'Give "version" or "at", not both.', {
        errors: [{ path: "at", code: "parameter-invalid", reason: "cannot be given together with version" }],
      });
    }
    const version = query.version === undefined ? undefined : Number(query.version);
    const at = readMoment(query.at);
    const found = await repository.load(id, { version, at });
    if (found.version === 0) {
      const when = at === undefined ? "" : ` at ${at.toISOString()}`;
      throw new Problem("aggregate-not-found", `There is no ${type} with this id${when}.`);
    }
    if (version !== undefined && found.version < version) {
      throw new Problem("version-not-found", `It is at version ${found.version}.`, {
        members: { actualVersion: found.version },
      });
    }
    return json(
      context,
      200,
      {
        aggregateType: type,
        aggregateId: id,
        version: found.version,
        ...(at !== undefined && { at: at.toISOString() }),
        state: found.state,
      },
      { etag: versionTag(found.version) },
    );
  });
}

function find(aggregates: readonly ServedAggregate[], type: string): ServedAggregate {
  const found = aggregates.find(({ decider }) => decider.name === type);
  if (found !== undefined) return found;
  const known = aggregates.map(({ decider }) => decider.name);
  throw new Problem(
    "aggregate-type-unknown",
    `No rules are registered for aggregates of type "${type}"${didYouMean(type, known)}; known are ${known.join(", ") || "none"}. ` +
      "Its events are at /api/v1/events?aggregateType=...",
  );
}

function readMoment(text: string | undefined): Date | undefined {
  const reading = text === undefined ? undefined : readTimestamp(text);
  return reading?.ok ? new Date(reading.milliseconds) : undefined;
}
