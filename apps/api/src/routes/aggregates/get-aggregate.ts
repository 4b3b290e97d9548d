import type { RouteConfig } from "@hono/zod-openapi";
import type { ServedAggregate } from "@synap/synap/internal";
import { readTimestamp } from "@synap/types";
import { aggregatePath, aggregateQuery } from "@synap/types/http";
import { didYouMean } from "@synap/types/internal";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { Problem } from "../../problems/problem.ts";
import {
  json,
  jsonResponse,
  problemResponses,
  readPathParameter,
  readQuery,
  registerRoute,
} from "../route-registration.ts";
import { versionTag } from "../streams/stream-parameters.ts";

const route = {
  method: "get",
  path: "/api/v1/aggregates/{type}/{id}",
  operationId: "getAggregate",
  tags: ["aggregates"],
  summary: "Get an aggregate's state, now or at any version or moment",
  request: { params: aggregatePath, query: aggregateQuery },
  responses: {
    200: {
      ...jsonResponse("The aggregate.", "Aggregate"),
      headers: { ETag: { description: "The version, for If-Match.", schema: { type: "string" } } },
    },
    ...problemResponses(
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
export function getAggregateRoute(app: ApiApp, { aggregates }: ApiDependencies): void {
  registerRoute(app, route, async (context) => {
    const query = readQuery(context, aggregateQuery);
    const type = readPathParameter(context, "type", aggregatePath.shape.type);
    const id = readPathParameter(context, "id", aggregatePath.shape.id);
    const { repository } = find(aggregates, type);
    if (query.version !== undefined && query.at !== undefined) {
      throw new Problem("parameter-invalid", 'Give "version" or "at", not both.', {
        errors: [{ path: "at", code: "parameter-invalid", reason: "cannot be given together with version" }],
      });
    }
    const { version } = query;
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
      versionTag(found.version),
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
