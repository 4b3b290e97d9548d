import { OpenAPIHono } from "@hono/zod-openapi";
import type { ProblemCode } from "@synap/types/http";
import type { ApiApp, ApiEnvironment, ApiPorts } from "./api-context.ts";
import { unmatchedProblem } from "./problems/not-found.ts";
import { toProblem } from "./problems/to-problem.ts";
import { readRequestId } from "./request-id.ts";
import { changeProjectionRoutes } from "./routes/admin/change-projection.ts";
import { deadLetterRoutes } from "./routes/admin/dead-letters.ts";
import { projectionRoutes } from "./routes/admin/projections.ts";
import { rebuildProjectionRoutes } from "./routes/admin/rebuild-projection.ts";
import { resolveDeadLetterRoutes } from "./routes/admin/resolve-dead-letter.ts";
import { adminStatusRoute } from "./routes/admin/status.ts";
import { tailEventsRoute } from "./routes/admin/tail-events.ts";
import { commandRoutes } from "./routes/aggregates/commands.ts";
import { getAggregateRoute } from "./routes/aggregates/get-aggregate.ts";
import { getEventRoute } from "./routes/get-event.ts";
import { healthRoutes } from "./routes/health.ts";
import { indexRoute } from "./routes/index-page.ts";
import { listEventsRoute } from "./routes/list-events.ts";
import { metricsRoute } from "./routes/metrics.ts";
import { openapiRoute } from "./routes/openapi-document.ts";
import { publishBatchRoute } from "./routes/publish-batch.ts";
import { publishEventRoute } from "./routes/publish-event.ts";
import { readModelRoutes } from "./routes/read-models.ts";
import { statusRoute } from "./routes/status.ts";
import { appendToStreamRoute } from "./routes/streams/append-to-stream.ts";
import { closeStreamRoute } from "./routes/streams/close-stream.ts";
import { readStreamRoute } from "./routes/streams/read-stream.ts";

/** Problems whose reason may name hosts and tables, and is therefore left out of the answer. */
const REASON_IS_LOGGED: ReadonlySet<ProblemCode> = new Set([
  "database-unavailable",
  "handler-refused",
  "handler-unavailable",
]);

/** The HTTP API as a Hono app, built from its dependencies. Every error is answered with a problem document. */
export function createApiApp(ports: ApiPorts): ApiApp {
  const app = new OpenAPIHono<ApiEnvironment>();
  app.use(async (context, next) => {
    context.set("requestId", readRequestId(context.req.header("x-request-id")));
    const from = performance.now();
    await next();
    const { method } = context.req;
    ports.metrics.request(
      context.get("route") ?? "unmatched",
      method,
      context.res.status,
      performance.now() - from,
    );
  });
  publishEventRoute(app, ports);
  publishBatchRoute(app, ports);
  listEventsRoute(app, ports);
  getEventRoute(app, ports);
  appendToStreamRoute(app, ports);
  readStreamRoute(app, ports);
  closeStreamRoute(app, ports);
  getAggregateRoute(app, ports);
  commandRoutes(app, ports);
  readModelRoutes(app, ports);
  statusRoute(app, ports);
  metricsRoute(app, ports);
  healthRoutes(app, ports);
  adminStatusRoute(app, ports);
  deadLetterRoutes(app, ports);
  resolveDeadLetterRoutes(app, ports);
  tailEventsRoute(app, ports);
  projectionRoutes(app, ports);
  changeProjectionRoutes(app, ports);
  rebuildProjectionRoutes(app, ports);
  openapiRoute(app, ports);
  indexRoute(app);
  app.notFound((context) => unmatchedProblem(app, context).toResponse(context.get("requestId")));
  app.onError((error, context) => {
    const problem = toProblem(error);
    const requestId = context.get("requestId");
    const facts = { requestId, method: context.req.method, path: context.req.path, code: problem.code };
    // Client errors concern the client only, and logging overload would add load when there is too much already.
    if (problem.status === 500) ports.logger.error({ ...facts, err: problem.cause }, problem.message);
    else if (REASON_IS_LOGGED.has(problem.code))
      ports.logger.warn({ ...facts, err: problem.cause }, problem.message);
    else ports.logger.debug(facts, problem.message);
    return problem.toResponse(requestId);
  });
  return app;
}
