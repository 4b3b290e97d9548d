import { aggregatePath, DEFAULT_PAGE_SIZE, historyQuery, positionHeaders } from "@synap/types/http";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { visibilityOf } from "../../identity/visibility.ts";
import { streamNotFound } from "../../problems/stream-not-found.ts";
import { readableBy } from "../../representations/current-versions.ts";
import { represent, representedResponse } from "../../representations/representation.ts";
import { LINK_HEADER, linkHeader, sendPage } from "../page-response.ts";
import { positionHeader, positionOfAnswer, readPoint, seenPosition } from "../read-position.ts";
import {
  type ApiRoute,
  problemResponses,
  readPathParameter,
  readQuery,
  registerRoute,
} from "../route-registration.ts";

const route = {
  scope: "read",
  method: "get",
  path: "/api/v1/events/aggregate/{type}/{id}/history",
  operationId: "aggregateHistory",
  tags: ["events"],
  summary: "Get the history of an aggregate",
  description:
    "By the time at which its events happened, the oldest first; `GET /api/v1/streams/...` has them by version. " +
    "The Link header has the next and the previous page.",
  request: { params: aggregatePath, query: historyQuery, headers: positionHeaders },
  responses: {
    200: {
      ...representedResponse("One page of the history.", "EventPage", "many"),
      headers: { ...LINK_HEADER, ...positionOfAnswer },
    },
    ...problemResponses(
      "parameter-invalid",
      "position-lost",
      "events-archived",
      "parameter-unknown",
      "cursor-invalid",
      "stream-not-found",
      "too-many-pages",
      "database-unavailable",
      "keys-unavailable",
      "visibility-unavailable",
    ),
  },
} satisfies ApiRoute;

/** GET /api/v1/events/aggregate/{type}/{id}/history */
export function aggregateHistoryRoute(app: ApiApp, dependencies: ApiDependencies): void {
  const { reads, pages, catalogue } = dependencies;
  registerRoute(app, route, (context, principal) => {
    const { limit = DEFAULT_PAGE_SIZE, cursor } = readQuery(context, historyQuery);
    const stream = {
      aggregateType: readPathParameter(context, "type", aggregatePath.shape.type),
      aggregateId: readPathParameter(context, "id", aggregatePath.shape.id),
    };
    const at = readPoint(context);
    const reader = readableBy(reads.visibleTo(visibilityOf(principal), at), dependencies, principal);
    return sendPage(context, pages, async (maxBytes) => {
      const page = await reader.queryStream(stream, { limit, order: "asc", cursor, maxBytes });
      if (page.events.length === 0 && cursor === undefined) throw streamNotFound(stream, catalogue);
      const headers = {
        ...linkHeader(context.req.url, page),
        ...positionHeader(seenPosition(at, page.events)),
      };
      return represent(context, page, headers, page.events);
    });
  });
}
