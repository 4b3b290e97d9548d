import { type AggregateMoment, UnknownNameError } from "@synap/handlers";
import { latestByType, MAX_KNOWN_EVENTS } from "@synap/handlers/internal";
import { checkMoment, checkPast, type StreamName } from "@synap/types";
import { aggregatePath, aggregateQuery } from "@synap/types/http";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import type { Principal } from "../../identity/principal.ts";
import { visibilityOf } from "../../identity/visibility.ts";
import { Problem } from "../../problems/problem.ts";
import { readableBy, seesPersonalData } from "../../representations/current-versions.ts";
import { represent, representedResponse } from "../../representations/representation.ts";
import { VERSION_ETAG, versionTag } from "../expected-version.ts";
import {
  type ApiRoute,
  json,
  problemResponses,
  readPathParameter,
  readQuery,
  registerRoute,
} from "../route-registration.ts";

const route = {
  scope: "read",
  method: "get",
  path: "/api/v1/aggregates/{type}/{id}",
  operationId: "getAggregate",
  tags: ["aggregates"],
  summary: "Get an aggregate's state, now or at any version or moment",
  description:
    "Of a kind with rules, the state that these give. Of any other, the newest data of each type of event, marked by `fold`. With " +
    "`knownAt` or `validAt`, as it was known, of an aggregate with at most 10,000 events.",
  request: { params: aggregatePath, query: aggregateQuery },
  responses: {
    200: {
      ...representedResponse("The aggregate.", "Aggregate"),
      headers: { ETag: VERSION_ETAG },
    },
    ...problemResponses(
      "parameter-invalid",
      "moment-in-future",
      "parameter-unknown",
      "aggregate-type-unknown",
      "aggregate-not-found",
      "version-not-found",
      "as-of-too-long",
      "event-version-newer",
      "events-archived",
      "database-unavailable",
      "keys-unavailable",
      "visibility-unavailable",
    ),
  },
} satisfies ApiRoute;

/** GET /api/v1/aggregates/{type}/{id} */
export function getAggregateRoute(app: ApiApp, dependencies: ApiDependencies): void {
  registerRoute(app, route, async (context, principal) => {
    const query = readQuery(context, aggregateQuery);
    const type = readPathParameter(context, "type", aggregatePath.shape.type);
    const id = readPathParameter(context, "id", aggregatePath.shape.id);
    if (query.version !== undefined && query.at !== undefined) {
      throw new Problem("parameter-invalid", 'Give "version" or "at", not both.', {
        errors: [{ path: "at", code: "parameter-invalid", reason: "cannot be given together with version" }],
      });
    }
    const { version } = query;
    // Before the aggregate is looked for: the refusal does not depend on what there is.
    const at = query.at === undefined ? undefined : checkPast("at", query.at);
    const knownAt = query.knownAt === undefined ? undefined : checkPast("knownAt", query.knownAt);
    const validAt = query.validAt === undefined ? undefined : checkMoment("validAt", query.validAt);
    const isKnown = knownAt !== undefined || validAt !== undefined;
    if (isKnown && (version !== undefined || at !== undefined)) {
      throw new Problem("parameter-invalid", 'Give "knownAt" and "validAt", or "version", or "at".', {
        errors: [
          {
            path: knownAt === undefined ? "validAt" : "knownAt",
            code: "parameter-invalid",
            reason: `cannot be given together with ${version === undefined ? "at" : "version"}`,
          },
        ],
      });
    }
    const found = await load(
      dependencies,
      principal,
      { aggregateType: type, aggregateId: id },
      { version, at, knownAt, validAt, maxEvents: MAX_KNOWN_EVENTS },
    );
    if (found.version === 0) {
      const when = at === undefined ? "" : ` at ${at.toISOString()}`;
      const known = isKnown ? ", as known then" : "";
      throw new Problem("aggregate-not-found", `There is no ${type} with this id${when}${known}.`);
    }
    if (version !== undefined && found.version < version) {
      throw new Problem("version-not-found", `It is at version ${found.version}.`, {
        members: { actualVersion: found.version },
      });
    }
    const { body, headers } = represent(
      context,
      {
        aggregateType: type,
        aggregateId: id,
        version: found.version,
        ...(at !== undefined && { at: at.toISOString() }),
        ...(knownAt !== undefined && { knownAt: knownAt.toISOString() }),
        ...(validAt !== undefined && { validAt: validAt.toISOString() }),
        ...found.reading,
        state: found.state,
      },
      versionTag(found.version),
    );
    return json(context, 200, body, headers);
  });
}

/** An aggregate as it was read. */
interface LoadedAggregate {
  readonly version: number;
  readonly state: object;
  /** Members of the response that say how, where its kind has no rules. */
  readonly reading?: object;
}

/**
 * Loads an aggregate that the caller may see. By its rules it is a fold of the whole stream, as it belongs to the stream's owner;
 * without rules, of the events that he may see.
 *
 * @throws Problem `aggregate-type-unknown`
 */
async function load(
  dependencies: ApiDependencies,
  principal: Principal,
  stream: StreamName,
  moment: AggregateMoment,
): Promise<LoadedAggregate> {
  const { aggregates, names, store } = dependencies;
  const visibility = visibilityOf(principal);
  const { aggregateType: type, aggregateId: id } = stream;
  const reader = readableBy(store.visibleTo(visibility), dependencies, principal);
  const isLimited = !("all" in visibility);
  const isSeen = async () => (await reader.getStream(stream)) !== undefined;
  const served = aggregates.find(({ decider }) => decider.name === type);
  if (served !== undefined) {
    if (isLimited && !(await isSeen())) return { version: 0, state: {} };
    const { repository, masked = repository } = served;
    return (seesPersonalData(principal) ? repository : masked).load(id, moment);
  }
  await names.check("aggregate type", type, isLimited ? isSeen : undefined).catch((cause: unknown) => {
    if (!(cause instanceof UnknownNameError)) throw cause;
    throw new Problem("aggregate-type-unknown", cause.message, { cause });
  });
  const { isComplete, ...found } = await latestByType(reader, stream, moment);
  return { ...found, reading: { fold: "latest-by-type", ...(!isComplete && { complete: false }) } };
}
