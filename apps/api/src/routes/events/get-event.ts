import { eventHeaders, eventOptions, eventPath } from "@synap/types/http";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { visibilityOf } from "../../identity/visibility.ts";
import { Problem } from "../../problems/problem.ts";
import { readableBy } from "../../representations/current-versions.ts";
import { represent, representedResponse } from "../../representations/representation.ts";
import { conditionalJson, ETAG } from "../conditional-response.ts";
import { sendPage } from "../page-response.ts";
import { positionHeader, positionOfAnswer, readPoint, seenPosition } from "../read-position.ts";
import {
  type ApiRoute,
  PathParameterProblem,
  problemResponses,
  readQuery,
  registerRoute,
} from "../route-registration.ts";

const route = {
  scope: "read",
  method: "get",
  path: "/api/v1/events/{id}",
  operationId: "getEvent",
  tags: ["events"],
  summary: "Get one stored event, and those that it caused",
  request: { params: eventPath, query: eventOptions, headers: eventHeaders },
  responses: {
    200: {
      ...representedResponse("The event.", "EventWithCaused", "one"),
      headers: { ...positionOfAnswer, ETag: ETAG },
    },
    304: { description: "The event of If-None-Match: events never change. With `caused` there is no ETag." },
    ...problemResponses(
      "parameter-invalid",
      "position-lost",
      "events-archived",
      "parameter-unknown",
      "event-not-found",
      "method-not-allowed",
      "too-many-pages",
      "database-unavailable",
      "keys-unavailable",
      "visibility-unavailable",
    ),
  },
} satisfies ApiRoute;

/** GET /api/v1/events/{id} */
export function getEventRoute(app: ApiApp, dependencies: ApiDependencies): void {
  const { reads, pages } = dependencies;
  registerRoute(app, route, async (context, principal) => {
    const { caused: limit } = readQuery(context, eventOptions);
    const id = (context.req.param("id") ?? "").toLowerCase();
    if (!eventPath.shape.id.safeParse(id).success) {
      throw new PathParameterProblem("event-not-found", "The id is not a UUID.");
    }
    const at = readPoint(context);
    const reader = readableBy(reads.visibleTo(visibilityOf(principal), at), dependencies, principal);
    const event = await reader.getById(id);
    if (event === undefined) {
      throw new Problem(
        "event-not-found",
        `No event ${id} is stored. An accepted event is stored within moments.`,
        { headers: { "retry-after": "1" } },
      );
    }
    if (limit === undefined) {
      const { body, headers } = represent(context, event, positionHeader(seenPosition(at, [event])), event);
      return conditionalJson(context, JSON.stringify(body), headers);
    }
    return sendPage(context, pages, async (maxBytes) => {
      const { events, nextCursor } = await reader.query(
        { causationId: id },
        { limit, order: "asc", maxBytes },
      );
      const seen = positionHeader(seenPosition(at, [event, ...events]));
      return represent(context, { ...event, caused: { events, nextCursor } }, seen);
    });
  });
}
