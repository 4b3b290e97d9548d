import type { RouteConfig } from "@hono/zod-openapi";
import { createFaultFinder, readinessResponse } from "@synap/service";
import type { ApiApp, ApiDependencies } from "../api-dependencies.ts";
import { Problem } from "../problems/problem.ts";
import { json, jsonResponse, problemResponses, registerOpenRoute } from "./route-registration.ts";

const healthRoute = {
  method: "get",
  path: "/healthz",
  operationId: "health",
  tags: ["operations"],
  summary: "Liveness",
  responses: { 200: jsonResponse("It can.", "Health"), ...problemResponses("not-ready") },
} satisfies RouteConfig;

const readinessRoute = {
  method: "get",
  path: "/readyz",
  operationId: "readiness",
  tags: ["operations"],
  summary: "Readiness",
  description:
    "Checks that the database answers, migrations are current, a write succeeds and the broker answers. `checks` has `ok` or a code " +
    "for each. `warnings` are for an operator and do not affect readiness.",
  responses: { 200: jsonResponse("It is.", "Readiness"), ...problemResponses("not-ready") },
} satisfies RouteConfig;

/** GET /healthz and GET /readyz. Probes may add parameters of their own. */
export function healthRoutes(
  app: ApiApp,
  { readiness, databaseFailed, warnings, logger }: ApiDependencies,
): void {
  const findFaults = createFaultFinder(readiness, logger);
  let hasEnded = false;
  void databaseFailed.then((cause) => {
    hasEnded = true;
    logger.fatal({ err: cause }, "the embedded database has stopped; restart this process");
  });
  registerOpenRoute(app, healthRoute, (context) => {
    if (!hasEnded) return json(context, 200, { status: "ok" });
    throw new Problem("not-ready", "The embedded database has stopped; this process has to be restarted.");
  });
  registerOpenRoute(app, readinessRoute, async (context) => {
    const { checks, reasons } = readinessResponse(await findFaults());
    if (reasons.length === 0) return json(context, 200, { status: "ok", checks, warnings: await warnings() });
    throw new Problem("not-ready", reasons.join(" "), { retryAfterSeconds: 2, members: { checks } });
  });
}
