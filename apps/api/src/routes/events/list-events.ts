import { NARROWING_CONDITIONS, UNINDEXED_CONDITIONS } from "@synap/database/internal";
import { DEFAULT_PAGE_SIZE, eventQuery, positionHeaders } from "@synap/types/http";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { visibilityOf } from "../../identity/visibility.ts";
import { readableBy } from "../../representations/current-versions.ts";
import { represent, representedResponse } from "../../representations/representation.ts";
import { checkFilterNames } from "../named-filter.ts";
import { LINK_HEADER, linkHeader, sendPage } from "../page-response.ts";
import { positionHeader, positionOfAnswer, readPoint, seenPosition } from "../read-position.ts";
import { type ApiRoute, problemResponses, readQuery, registerRoute } from "../route-registration.ts";

/** The parameters of conditions of a filter, as text. */
const parameters = (conditions: readonly string[]) =>
  conditions.map((name) => `\`${name === "types" ? "type" : name}\``).join(", ");
const TOO_WIDE = `given one of ${parameters(UNINDEXED_CONDITIONS)} and none of ${parameters(NARROWING_CONDITIONS)}`;

const route = {
  scope: "read",
  method: "get",
  path: "/api/v1/events",
  operationId: "listEvents",
  tags: ["events"],
  summary: "Find stored events",
  description:
    "All filters must match. `source`, `validAt` and `data` have no index and need another one beside them: a type, an aggregate, " +
    "a user, a flow, a cause, a creator, or `from` or `recordedFrom`. With `processed`, a page may hold fewer than `limit`, or none: " +
    "go by `nextCursor`. The Link header has the next and the previous page.",
  request: { query: eventQuery, headers: positionHeaders },
  responses: {
    200: {
      ...representedResponse("One page of events.", "EventPage", "many"),
      headers: { ...LINK_HEADER, ...positionOfAnswer },
    },
    ...problemResponses(
      "parameter-invalid",
      "moment-in-future",
      "position-lost",
      "events-archived",
      "parameter-unknown",
      "filter-unknown",
      ["filter-too-wide", TOO_WIDE],
      "cursor-invalid",
      "too-many-pages",
      "database-unavailable",
      "keys-unavailable",
      "visibility-unavailable",
    ),
  },
} satisfies ApiRoute;

/** GET /api/v1/events */
export function listEventsRoute(app: ApiApp, dependencies: ApiDependencies): void {
  const { reads, pages, admin } = dependencies;
  registerRoute(app, route, async (context, principal) => {
    const {
      limit = DEFAULT_PAGE_SIZE,
      order = "desc",
      cursor,
      type,
      processed,
      ...filter
    } = readQuery(context, eventQuery);
    const at = readPoint(context);
    const visibility = visibilityOf(principal);
    const reader = readableBy(reads.visibleTo(visibility, at), dependencies, principal);
    await checkFilterNames(dependencies, { type, ...filter }, "all" in visibility ? undefined : reader);
    const types = type === undefined ? undefined : [type].flat();
    return sendPage(context, pages, async (maxBytes) => {
      const page = await reader.query({ ...filter, types }, { limit, order, cursor, maxBytes });
      const headers = {
        ...linkHeader(context.req.url, page),
        ...positionHeader(seenPosition(at, page.events)),
      };
      if (processed === undefined) return represent(context, page, headers, page.events);
      const states = await admin.processing.ofEach(page.events);
      const events = states.filter((each) => String(each.processed) === processed).map(({ event }) => event);
      return represent(context, { ...page, events }, headers, events);
    });
  });
}
