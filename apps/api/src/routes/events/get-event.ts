import type { RouteConfig } from "@hono/zod-openapi";
import { eventPath } from "@synap/types/http";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { Problem } from "../../problems/problem.ts";
import {
  json,
  jsonResponse,
  PathParameterProblem,
  problemResponses,
  refuseQuery,
  registerRoute,
} from "../route-registration.ts";

const route = {
  method: "get",
  path: "/api/v1/events/{id}",
  operationId: "getEvent",
  tags: ["events"],
  summary: "Get one stored event",
  request: { params: eventPath },
  responses: {
    200: jsonResponse("The event.", "StoredEvent"),
    ...problemResponses("parameter-unknown", "event-not-found", "method-not-allowed", "database-unavailable"),
  },
} satisfies RouteConfig;

/** GET /api/v1/events/{id} */
export function getEventRoute(app: ApiApp, { store }: ApiDependencies): void {
  registerRoute(app, route, async (context) => {
    refuseQuery(context);
    const id = (context.req.param("id") ?? "").toLowerCase();
    if (!eventPath.shape.id.safeParse(id).success) {
      throw new PathParameterProblem("event-not-found", "The id is not a UUID.");
    }
    const event = await store.getById(id);
    if (event !== undefined) return json(context, 200, event);
    throw new Problem(
      "event-not-found",
      `No event ${id} is stored. An accepted event is stored within moments.`,
      {
        headers: { "retry-after": "1" },
      },
    );
  });
}
