import { descendingPages } from "@synap/database";
import type { EventTypeDefinition } from "@synap/types";
import { conditionHeaders, DEFAULT_PAGE_SIZE, eventTypesQuery } from "@synap/types/http";
import { describeEventTypes, madeOfTypes } from "@synap/types/internal";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { represent, representedResponse, wantedBy } from "../../representations/representation.ts";
import { ETAG, hashOf, notModified } from "../conditional-response.ts";
import { sendPage } from "../page-response.ts";
import { type ApiRoute, problemResponses, readQuery, registerRoute } from "../route-registration.ts";

const route = {
  scope: "read",
  method: "get",
  path: "/api/v1/events/types",
  operationId: "listEventTypes",
  tags: ["events"],
  summary: "List the event types whose events are accepted",
  description: "Sorted by name. The ETag changes with the catalogue.",
  request: { query: eventTypesQuery, headers: conditionHeaders },
  responses: {
    200: { ...representedResponse("One page of the catalogue.", "EventTypePage"), headers: { ETag: ETAG } },
    304: { description: "The catalogue is the one of If-None-Match." },
    ...problemResponses(
      "parameter-invalid",
      "parameter-unknown",
      "cursor-invalid",
      "too-many-pages",
      "database-unavailable",
    ),
  },
} satisfies ApiRoute;

/** GET /api/v1/events/types */
export function listEventTypesRoute(app: ApiApp, { catalogue, pages }: ApiDependencies): void {
  const list = madeOfTypes(catalogue, measure);
  registerRoute(app, route, async (context) => {
    const { limit = DEFAULT_PAGE_SIZE, cursor } = readQuery(context, eventTypesQuery);
    const { entries, hash } = await list();
    // Weak, because a page is shorter when other pages have taken the budget.
    const etag = `W/"${wantedBy(context) === "snake" ? hashOf(`snake ${hash}`) : hash}"`;
    // Numbered from the last, because the cursors of lists lead downwards. A cursor belongs to one catalogue.
    const { before, next } = descendingPages("event-types", { hash }, cursor);
    const unchanged = notModified(context, etag, { vary: "accept" });
    if (unchanged !== undefined) return unchanged;
    return sendPage(context, pages, async (maxBytes) => {
      const start = before === undefined ? 0 : Math.max(0, entries.length - before + 1);
      const page: typeof entries = [];
      let bytes = 0;
      for (const entry of entries.slice(start, start + limit)) {
        page.push(entry);
        bytes += entry.bytes;
        if (bytes >= maxBytes) break;
      }
      const end = start + page.length;
      const body = {
        eventTypes: page.map(({ type }) => type),
        ...next(end < entries.length ? entries.length - end + 1 : undefined),
      };
      return represent(context, body, { etag });
    });
  });
}

function measure(catalogue: readonly EventTypeDefinition[]) {
  const types = describeEventTypes({ types: catalogue });
  const entries = types.map((type) => ({ type, bytes: Buffer.byteLength(JSON.stringify(type)) }));
  return { entries, hash: hashOf(JSON.stringify(types)) };
}
