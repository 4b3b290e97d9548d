import type { RouteConfig } from "@hono/zod-openapi";
import type { ReadModel } from "@synap/handlers";
import { componentOf } from "@synap/handlers/internal";
import { conditionHeaders, HTTP_RESOURCES, READ_MODEL_RESOURCES } from "@synap/types/http";
import { snakeEventInputSchema } from "@synap/types/internal";
import type { ApiApp, ApiDependencies } from "../api-dependencies.ts";
import { SECURITY_SCHEME, SESSION_SCHEME } from "../identity/authentication.ts";
import { SECURE_COOKIE } from "../identity/session-cookie.ts";
import { RELEASE } from "../release.ts";
import { CLOUD_EVENT_RESOURCES } from "../representations/cloud-event-schema.ts";
import { REPRESENTED } from "../representations/representation.ts";
import { schemaInSnakeCase, snakeCaseComponent } from "../representations/snake-case-schema.ts";
import { conditionalDocument, ETAG } from "./conditional-response.ts";
import { describeSchema } from "./json-schema.ts";
import { registerOpenRoute } from "./route-registration.ts";

const route = {
  method: "get",
  path: "/openapi.json",
  operationId: "openapi",
  tags: ["operations"],
  summary: "Get this OpenAPI document",
  request: { headers: conditionHeaders },
  responses: {
    200: {
      description: "OpenAPI 3.1.",
      content: { "application/json": { schema: { type: "object" } } },
      headers: { ETag: ETAG },
    },
    304: { description: "It is as If-None-Match has it." },
  },
} satisfies RouteConfig;

/** GET /openapi.json, created on the first request from the registered routes. */
export function openapiRoute(app: ApiApp, { readModels }: Pick<ApiDependencies, "readModels">): void {
  registerComponents(app, readModels);
  const respond = conditionalDocument(() =>
    app.getOpenAPI31Document({
      openapi: "3.1.0",
      info: {
        title: "Synap",
        version: RELEASE,
        description:
          "Publish, append and query events. Errors are RFC 9457 problem documents. Answers about events, streams and aggregates are in " +
          "snake case too, and some as CloudEvents, where `Accept` asks for that and the response has the media type. Every other answer has " +
          "one form, whatever `Accept` says: read models have the names that their application gave them.",
        license: { name: "MIT", url: "https://opensource.org/license/mit" },
      },
      servers: [{ url: "/" }],
      tags: [
        { name: "events", description: "Publishing and finding events." },
        {
          name: "aggregates",
          description: "Commands, and the state of aggregates at any version or moment.",
        },
        {
          name: "streams",
          description: "Appends with an expected version, and the events of a stream by version.",
        },
        { name: "read models", description: "Queries over the tables that projections maintain." },
        { name: "operations", description: "Health, status and metrics." },
        {
          name: "admin",
          description: "Dead letters, projections and the processing of events.",
        },
      ],
    }),
  );
  registerOpenRoute(app, route, respond);
}

const SECURITY_SCHEMES = {
  [SECURITY_SCHEME]: {
    type: "http",
    scheme: "bearer",
    description:
      "An API key or a JWT. Each operation names the scope that it needs. Without a token, a loopback listener admits requests of " +
      "its own machine.",
  },
  [SESSION_SCHEME]: {
    type: "apiKey",
    in: "cookie",
    name: SECURE_COOKIE,
    description:
      "The cookie of a browser that has signed in; it has another name where there is no https, on the API's own machine. What changes " +
      "something must come from a page of the API.",
  },
} as const;

/** Registers the schemas of bodies and responses in the document, as Zod converts them to JSON Schema 2020-12. */
function registerComponents(app: ApiApp, readModels: readonly ReadModel[]): void {
  const responses = readModels.map((model) => [componentOf(model), model.response] as const);
  const own = Object.entries(HTTP_RESOURCES).filter(([name]) => !(name in READ_MODEL_RESOURCES));
  const register = (name: string, schema: Readonly<Record<string, unknown>>) =>
    app.openAPIRegistry.registerComponent("schemas", name, schema);
  for (const [name, schema] of [...own, ...Object.entries(CLOUD_EVENT_RESOURCES), ...responses])
    register(name, describeSchema(schema));
  register(snakeCaseComponent("EventInput"), describeSchema(snakeEventInputSchema));
  for (const name of ["EventBatch", "StreamAppend", ...REPRESENTED] as const)
    register(snakeCaseComponent(name), schemaInSnakeCase(describeSchema(HTTP_RESOURCES[name])));
  for (const [name, scheme] of Object.entries(SECURITY_SCHEMES)) {
    app.openAPIRegistry.registerComponent("securitySchemes", name, scheme);
  }
}
