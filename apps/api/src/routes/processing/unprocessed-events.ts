import { ascendingPages } from "@synap/database";
import { DEFAULT_PAGE_SIZE, unprocessedQuery } from "@synap/types/http";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { eventsFor } from "../../representations/current-versions.ts";
import { represent, representedResponse } from "../../representations/representation.ts";
import { registerAdminRoute } from "../admin/admin-route.ts";
import { checkFilterNames } from "../named-filter.ts";
import { sendPage } from "../page-response.ts";
import { readQuery } from "../route-registration.ts";

/** GET /api/v1/events/unprocessed */
export function unprocessedEventsRoute(app: ApiApp, dependencies: ApiDependencies): void {
  const { admin, pages } = dependencies;
  registerAdminRoute(
    app,
    {
      method: "get",
      path: "/api/v1/events/unprocessed",
      operationId: "listUnprocessedEvents",
      summary: "List the events that a handler has not processed",
      description:
        "Those after its checkpoint, and those that failed or wait behind a failed one, in the order of positions. Each with " +
        "its state for every handler. A page may hold fewer than `limit`, or none: `nextCursor` is present when there may " +
        "be more.",
      request: { query: unprocessedQuery },
      responses: { 200: representedResponse("One page of events.", "UnprocessedEvents") },
      problems: ["parameter-invalid", "filter-unknown", "cursor-invalid", "too-many-pages"],
    },
    async (context, principal) => {
      const { limit = DEFAULT_PAGE_SIZE, cursor, ...filter } = readQuery(context, unprocessedQuery);
      await checkFilterNames(dependencies, filter);
      const { after = 0, next } = ascendingPages("unprocessed-events", filter, cursor);
      return sendPage(context, pages, async (maxBytes) => {
        const page = await admin.processing.unprocessed({ ...filter, after, limit, maxBytes });
        const stored = page.events.map(({ event }) => event);
        const readable = await eventsFor(stored, dependencies, principal);
        const events = readable.map((event, index) => ({
          ...event,
          processing: page.events[index]?.handlers,
        }));
        return represent(context, { events, ...next(page.next) });
      });
    },
  );
}
