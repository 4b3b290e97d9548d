import type { RouteConfig } from "@hono/zod-openapi";
import type { ApiApp, ApiPorts } from "../api-context.ts";
import { RELEASE } from "../release.ts";
import { registerComponents } from "./openapi-components.ts";
import { json, registerRoute } from "./route-registration.ts";

const route = {
  method: "get",
  path: "/openapi.json",
  operationId: "openapi",
  tags: ["operations"],
  summary: "This document",
  responses: {
    200: { description: "OpenAPI 3.1.", content: { "application/json": { schema: { type: "object" } } } },
  },
} satisfies RouteConfig;

/** GET /openapi.json, made on the first request from what the routes registered. */
export function openapiRoute(app: ApiApp, { readModels }: Pick<ApiPorts, "readModels">): void {
  registerComponents(app, readModels);
  let document: unknown;
  registerRoute(app, route, (context) => {
    document ??= app.getOpenAPI31Document({
      openapi: "3.1.0",
      info: {
        title: "Synap",
        version: RELEASE,
        description:
          "Publish events, and find them again. Faults are answered as RFC 9457 problem documents.",
        license: { name: "MIT", url: "https://opensource.org/license/mit" },
      },
      servers: [{ url: "/" }],
      tags: [
        { name: "events", description: "Publishing and finding events." },
        { name: "aggregates", description: "Things with rules: commands, and their state at any time." },
        { name: "streams", description: "Commands on one stream, and its events by version." },
        { name: "read models", description: "What the events come to, as projections keep it." },
        { name: "operations", description: "Watching the process." },
        { name: "admin", description: "Operating it. Needs the token in SYNAP_ADMIN_TOKEN." },
      ],
    });
    return json(context, 200, document);
  });
}
