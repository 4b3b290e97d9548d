import type { RouteConfig } from "@hono/zod-openapi";
import { readTimestamp } from "@synap/types";
import { DEFAULT_PAGE_SIZE, eventQuery } from "@synap/types/http";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { checkFilterNames } from "../named-filter.ts";
import { linkHeader, sendPage } from "../page-response.ts";
import { jsonResponse, problemResponses, readQuery, registerRoute } from "../route-registration.ts";

const route = {
  method: "get",
  path: "/api/v1/events",
  operationId: "listEvents",
  tags: ["events"],
  summary: "Find stored events",
  description: "All filters must match. The Link header has the next and the previous page.",
  request: { query: eventQuery },
  responses: {
    200: {
      ...jsonResponse("One page of events.", "EventPage"),
      headers: { Link: { description: 'rel="next" and rel="prev"', schema: { type: "string" } } },
    },
    ...problemResponses(
      "parameter-invalid",
      "parameter-unknown",
      "filter-unknown",
      "cursor-invalid",
      "too-many-pages",
      "database-unavailable",
    ),
  },
} satisfies RouteConfig;

/** GET /api/v1/events */
export function listEventsRoute(app: ApiApp, dependencies: ApiDependencies): void {
  const { store, pages } = dependencies;
  registerRoute(app, route, async (context) => {
    const {
      limit = DEFAULT_PAGE_SIZE,
      order = "desc",
      cursor,
      from,
      to,
      type,
      ...equal
    } = readQuery(context, eventQuery);
    await checkFilterNames(dependencies, { type, ...equal });
    const filter = {
      ...equal,
      ...(type !== undefined && { types: [type].flat() }),
      ...(from !== undefined && { from: normal(from) }),
      ...(to !== undefined && { to: normal(to) }),
    };
    return sendPage(context, pages, async (maxBytes) => {
      const page = await store.query(filter, { limit, order, cursor, maxBytes });
      return { body: page, headers: linkHeader(context.req.url, page) };
    });
  });
}

function normal(timestamp: string): string {
  const reading = readTimestamp(timestamp);
  return reading.ok ? reading.text : timestamp;
}
