import { readTrace } from "@synap/database/internal";
import { MAX_PAGE_SIZE, tracePath, traceQuery } from "@synap/types/http";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { visibilityOf } from "../../identity/visibility.ts";
import { Problem } from "../../problems/problem.ts";
import { readableBy } from "../../representations/current-versions.ts";
import { represent, representedResponse } from "../../representations/representation.ts";
import { sendPage } from "../page-response.ts";
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
  path: "/api/v1/traces/{correlationId}",
  operationId: "getTrace",
  tags: ["events"],
  summary: "Get the events of a flow as a tree, by what caused them",
  description:
    "Each event follows the one that caused it, one deeper. Events whose cause is not on the page are at the root. " +
    "With the events of the correlation comes the one whose id it is.",
  request: { params: tracePath, query: traceQuery },
  responses: {
    200: representedResponse("One page of the flow: its oldest events first.", "Trace"),
    ...problemResponses(
      "parameter-invalid",
      "parameter-unknown",
      "cursor-invalid",
      "trace-not-found",
      "too-many-pages",
      "events-archived",
      "database-unavailable",
      "keys-unavailable",
      "visibility-unavailable",
    ),
  },
} satisfies ApiRoute;

/** GET /api/v1/traces/{correlationId} */
export function getTraceRoute(app: ApiApp, dependencies: ApiDependencies): void {
  const { store, pages } = dependencies;
  registerRoute(app, route, (context, principal) => {
    const { limit = MAX_PAGE_SIZE, cursor } = readQuery(context, traceQuery);
    const correlationId = readPathParameter(context, "correlationId", tracePath.shape.correlationId);
    const reader = readableBy(store.visibleTo(visibilityOf(principal)), dependencies, principal);
    return sendPage(context, pages, async (maxBytes) => {
      const trace = await readTrace(reader, correlationId, { limit, cursor, maxBytes });
      if (trace !== undefined) return represent(context, trace);
      throw new Problem(
        "trace-not-found",
        `No event has the correlation id ${JSON.stringify(correlationId)}.`,
      );
    });
  });
}
