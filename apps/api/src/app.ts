import { OpenAPIHono } from "@hono/zod-openapi";
import type { ProblemCode } from "@synap/types/http";
import type { ApiApp, ApiDependencies, ApiEnvironment } from "./api-dependencies.ts";
import { sendProblemPage } from "./pages/page.ts";
import { namedAsInQuery } from "./problems/named-as-in-query.ts";
import { unmatchedProblem } from "./problems/not-found.ts";
import { toProblem } from "./problems/to-problem.ts";
import { readRequestId } from "./request-id.ts";
import { changeProjectionRoutes } from "./routes/admin/change-projection.ts";
import { deadLetterRoutes } from "./routes/admin/dead-letters.ts";
import { projectionAsOfRoute } from "./routes/admin/projection-as-of.ts";
import { projectionRoutes } from "./routes/admin/projections.ts";
import { rebuildProjectionRoutes } from "./routes/admin/rebuild-projection.ts";
import { resolveDeadLetterRoutes } from "./routes/admin/resolve-dead-letter.ts";
import { sinkRoutes } from "./routes/admin/sinks.ts";
import { adminStatusRoute } from "./routes/admin/status.ts";
import { commandRoutes } from "./routes/aggregates/commands.ts";
import { getAggregateRoute } from "./routes/aggregates/get-aggregate.ts";
import { asyncapiRoute } from "./routes/asyncapi-document.ts";
import { aggregateHistoryRoute } from "./routes/events/aggregate-history.ts";
import { eventStatsRoute } from "./routes/events/event-stats.ts";
import { getEventRoute } from "./routes/events/get-event.ts";
import { getEventTypeRoute } from "./routes/events/get-event-type.ts";
import { getTraceRoute } from "./routes/events/get-trace.ts";
import { listEventTypesRoute } from "./routes/events/list-event-types.ts";
import { listEventsRoute } from "./routes/events/list-events.ts";
import { publishBatchRoute } from "./routes/events/publish-batch.ts";
import { publishEventRoute } from "./routes/events/publish-event.ts";
import { registerEventTypeRoute } from "./routes/events/register-event-type.ts";
import { streamEventsRoute } from "./routes/events/stream-events.ts";
import { healthRoutes } from "./routes/health.ts";
import { indexRoute } from "./routes/index-page.ts";
import { metricsRoute } from "./routes/metrics.ts";
import { openapiRoute } from "./routes/openapi-document.ts";
import { eventProcessingRoutes } from "./routes/processing/event-processing.ts";
import { unprocessedEventsRoute } from "./routes/processing/unprocessed-events.ts";
import { readModelRoutes } from "./routes/read-models.ts";
import { sessionRoutes } from "./routes/session/session.ts";
import { providerRoutes, signInRoutes } from "./routes/session/sign-in.ts";
import { statusRoute } from "./routes/status.ts";
import { appendToStreamRoute } from "./routes/streams/append-to-stream.ts";
import { closeStreamRoute } from "./routes/streams/close-stream.ts";
import { readStreamRoute } from "./routes/streams/read-stream.ts";
import { viewerRoutes } from "./routes/viewers.ts";

/** Problems whose cause may name hosts and tables, so it is logged and not part of the response. */
const REASON_IS_LOGGED: ReadonlySet<ProblemCode> = new Set([
  "database-unavailable",
  "handler-refused",
  "handler-unavailable",
  "visibility-unavailable",
]);

/** The HTTP API as a Hono app, built from its dependencies. Every error is answered with a problem document. */
export function createApiApp(dependencies: ApiDependencies): ApiApp {
  const app = new OpenAPIHono<ApiEnvironment>();
  const { limits } = dependencies;
  app.use(async (context, next) => {
    context.set("requestId", readRequestId(context.req.header("x-request-id")));
    context.set("authenticate", dependencies.authenticate);
    context.set("checkPosition", dependencies.checkPosition);
    context.set("limits", limits);
    const from = performance.now();
    await next();
    const principal = context.get("principal");
    if (limits !== undefined && principal !== undefined) addHeaders(context.res, limits.headers(principal));
    const { method } = context.req;
    dependencies.metrics.request(
      context.get("route") ?? "unmatched",
      method,
      context.res.status,
      performance.now() - from,
    );
  });
  publishEventRoute(app, dependencies);
  publishBatchRoute(app, dependencies);
  listEventsRoute(app, dependencies);
  eventStatsRoute(app, dependencies);
  // Before the route of an event: their addresses have its form.
  listEventTypesRoute(app, dependencies);
  getEventTypeRoute(app, dependencies);
  registerEventTypeRoute(app, dependencies);
  aggregateHistoryRoute(app, dependencies);
  streamEventsRoute(app, dependencies);
  unprocessedEventsRoute(app, dependencies);
  eventProcessingRoutes(app, dependencies);
  getEventRoute(app, dependencies);
  getTraceRoute(app, dependencies);
  appendToStreamRoute(app, dependencies);
  readStreamRoute(app, dependencies);
  closeStreamRoute(app, dependencies);
  getAggregateRoute(app, dependencies);
  commandRoutes(app, dependencies);
  readModelRoutes(app, dependencies);
  sessionRoutes(app, dependencies);
  signInRoutes(app, dependencies);
  providerRoutes(app, dependencies);
  statusRoute(app, dependencies);
  metricsRoute(app, dependencies);
  healthRoutes(app, dependencies);
  adminStatusRoute(app, dependencies);
  deadLetterRoutes(app, dependencies);
  resolveDeadLetterRoutes(app, dependencies);
  projectionRoutes(app, dependencies);
  projectionAsOfRoute(app, dependencies);
  changeProjectionRoutes(app, dependencies);
  rebuildProjectionRoutes(app, dependencies);
  sinkRoutes(app, dependencies);
  openapiRoute(app, dependencies);
  asyncapiRoute(app, dependencies);
  viewerRoutes(app);
  indexRoute(app);
  app.notFound((context) => unmatchedProblem(app, context).toResponse(context.get("requestId")));
  app.onError((error, context) => {
    const problem = namedAsInQuery(toProblem(error), context.req.url);
    const requestId = context.get("requestId");
    const facts = { requestId, method: context.req.method, path: context.req.path, code: problem.code };
    // Client errors concern only the client, and logging refusals under overload would add load.
    if (problem.status === 500) dependencies.logger.error({ ...facts, err: problem.cause }, problem.message);
    else if (REASON_IS_LOGGED.has(problem.code))
      dependencies.logger.warn({ ...facts, err: problem.cause }, problem.message);
    else dependencies.logger.debug(facts, problem.message);
    return context.get("isPage") === true
      ? sendProblemPage(requestId, problem)
      : problem.toResponse(requestId);
  });
  return app;
}

function addHeaders({ headers }: Response, added: readonly (readonly [name: string, value: string])[]): void {
  for (const [name, value] of added) headers.set(name, value);
}
