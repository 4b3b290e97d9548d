import type { RouteConfig } from "@hono/zod-openapi";
import { pageHeaders } from "@synap/http";
import type { ApiApp } from "../api-dependencies.ts";
import { RELEASE } from "../release.ts";
import { responseHeaders } from "../response-headers.ts";
import { json, registerOpenRoute } from "./route-registration.ts";

const STYLE =
  ":root{color-scheme:light dark}body{font:16px/1.5 system-ui;margin:3rem auto;max-width:60rem;padding:0 1rem}td{padding:.2rem 1rem .2rem 0}";
const PAGE_HEADERS = pageHeaders([STYLE]);

const LINKS = [
  ["POST", "/api/v1/events", "publish one event"],
  ["POST", "/api/v1/events/batch", "publish many events"],
  ["GET", "/api/v1/events", "find stored events"],
  ["GET", "/api/v1/events/{id}", "get one stored event, and those that it caused"],
  ["GET", "/api/v1/traces/{correlationId}", "the events of a flow as a tree, by what caused them"],
  ["GET", "/api/v1/events/stats", "numbers of events by day, type, source and creator"],
  ["GET", "/api/v1/events/types", "the event types, with schema and example"],
  ["GET", "/api/v1/events/types/{name}", "one event type"],
  ["GET", "/api/v1/events/aggregate/{type}/{id}/history", "the history of an aggregate, by time"],
  ["GET", "/api/v1/events/unprocessed", "events that a handler has not processed; needs the scope admin"],
  ["GET", "/api/v1/events/{id}/processing", "an event's state for each handler; needs the scope admin"],
  ["GET", "/api/v1/aggregates/{type}/{id}", "an aggregate's state, now or at any version or moment"],
  ["POST", "/api/v1/reservations/{id}/create", "reserve something: an example of a command"],
  [
    "POST",
    "/api/v1/streams/{aggregateType}/{aggregateId}/events",
    "append to a stream at an expected version",
  ],
  ["GET", "/api/v1/streams/{aggregateType}/{aggregateId}", "read a stream"],
  ["POST", "/api/v1/streams/{aggregateType}/{aggregateId}/close", "close a stream"],
  ["GET", "/api/v1/open-loops", "an owner's open loops by priority"],
  ["GET", "/api/v1/tasks", "open tasks"],
  ["GET", "/api/v1/reservations", "reservations of a guest or a date range"],
  ["GET", "/api/v1/notes", "a user's notes"],
  ["GET", "/api/v1/compliance", "activity of a date range, and the share of it that can be traced"],
  ["GET", "/api/v1/audit-log", "who did what and when"],
  ["GET", "/api/v1/status", "the store, handlers, queue and processes"],
  ["GET", "/api/v1/admin/status", "the status with details of each handler; needs the scope admin"],
  ["GET", "/api/v1/events/stream", "events as they are stored, as server-sent events"],
  ["GET", "/api/v1/admin/projections", "projections and the progress of their builds; needs the scope admin"],
  ["GET", "/api/v1/admin/dead-letters", "events that a handler failed on; needs the scope admin"],
  ["GET", "/api/v1/session", "who you are here, with which scopes and until when"],
  ["DELETE", "/api/v1/session", "sign out"],
  ["POST", "/api/v1/session/links", "make a link by which a browser signs in, once"],
  ["GET", "/docs", "this API with Swagger UI, to read and to try"],
  ["GET", "/redoc", "this API with ReDoc, to read"],
  ["GET", "/metrics", "the figures of the status, for Prometheus"],
  ["GET", "/healthz", "liveness: the process is up"],
  ["GET", "/readyz", "readiness: everything it needs is available"],
  ["GET", "/openapi.json", "this API as OpenAPI 3.1"],
  ["GET", "/asyncapi.json", "the event types as AsyncAPI 3.0"],
] as const;

const route = {
  method: "get",
  path: "/",
  operationId: "index",
  tags: ["operations"],
  summary: "List the routes",
  description: "As HTML when the client accepts text/html, otherwise as JSON.",
  responses: {
    200: {
      description: "The routes.",
      content: {
        "application/json": { schema: { type: "object" } },
        "text/html": { schema: { type: "string" } },
      },
    },
  },
} satisfies RouteConfig;

/** GET / */
export function indexRoute(app: ApiApp): void {
  registerOpenRoute(app, route, (context) => {
    if (!context.req.header("accept")?.includes("text/html")) {
      const routes = LINKS.map(([method, path, purpose]) => ({ method, path, purpose }));
      return json(context, 200, { name: "synap", release: RELEASE, routes });
    }
    return new Response(page(), {
      status: 200,
      headers: responseHeaders(context.get("requestId"), {
        ...PAGE_HEADERS,
        "content-type": "text/html; charset=utf-8",
        vary: "accept",
      }),
    });
  });
}

function page(): string {
  const rows = LINKS.map(([method, path, purpose]) => {
    const address = method === "GET" && !path.includes("{") ? `<a href="${path}">${path}</a>` : path;
    return `<tr><td>${method}</td><td><code>${address}</code></td><td>${purpose}</td></tr>`;
  });
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Synap</title>
<style>${STYLE}</style>
<h1>Synap ${RELEASE}</h1><p>An event backbone. This is its HTTP API: <a href="/docs">read and try it</a>, or <a href="/redoc">read it</a>.</p><table>${rows.join("")}</table></html>`;
}
