import type { RouteConfig } from "@hono/zod-openapi";
import { z } from "zod";
import type { ApiApp, ApiPorts } from "../api-context.ts";
import { RELEASE } from "../release.ts";
import { json, jsonAnswer, problemAnswers, readQuery, registerRoute } from "./route-registration.ts";

const route = {
  method: "get",
  path: "/api/v1/status",
  operationId: "status",
  tags: ["operations"],
  summary: "What is running, and how far it is",
  responses: {
    200: jsonAnswer("The state of this moment.", "Status"),
    ...problemAnswers("database-unavailable"),
  },
} satisfies RouteConfig;

const noQuery = z.strictObject({});

/** GET /api/v1/status */
export function statusRoute(app: ApiApp, ports: ApiPorts): void {
  const { configuration, acceptance, statistics, engine } = ports;
  registerRoute(app, route, async (context) => {
    readQuery(context, noQuery);
    const numbers = await statistics();
    return json(context, 200, {
      release: RELEASE,
      ...engine,
      features: {
        publish: "active",
        "publish-batch": "active",
        ndjson: "active",
        query: "active",
        idempotency: "active",
        "inline-handlers": "active",
        "async-handlers": "active",
        "dead-letters": "active",
        backfill: configuration.backfillToken === undefined ? "inactive" : "active",
      },
      ...numbers,
      publisher: acceptance.publisher.state(),
    });
  });
}
