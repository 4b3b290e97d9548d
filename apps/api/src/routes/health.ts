import type { RouteConfig } from "@hono/zod-openapi";
import type { ApiApp, ApiPorts, ReadinessCheck } from "../api-context.ts";
import { Problem } from "../problems/problem.ts";
import { json, jsonAnswer, problemAnswers, registerRoute } from "./route-registration.ts";

/** How long one check may take, in milliseconds: less than a probe usually waits. */
const CHECK_TIMEOUT_MS = 2_000;

const healthRoute = {
  method: "get",
  path: "/healthz",
  operationId: "health",
  tags: ["operations"],
  summary: "Whether the process is up",
  responses: { 200: jsonAnswer("It is.", "Health") },
} satisfies RouteConfig;

const readinessRoute = {
  method: "get",
  path: "/readyz",
  operationId: "readiness",
  tags: ["operations"],
  summary: "Whether everything the API needs is there",
  description: "Database reachable, migrations current, event broker reachable.",
  responses: { 200: jsonAnswer("It is.", "Readiness"), ...problemAnswers("not-ready") },
} satisfies RouteConfig;

/** GET /healthz and GET /readyz. Probes may add parameters of their own. */
export function healthRoutes(app: ApiApp, { readiness }: ApiPorts): void {
  registerRoute(app, healthRoute, (context) => json(context, 200, { status: "ok" }));
  registerRoute(app, readinessRoute, async (context) => {
    const checked = await Promise.all(readiness.map(async (one) => [one.name, await faultOf(one)] as const));
    const checks = Object.fromEntries(checked.map(([name, fault]) => [name, fault ?? "ok"]));
    const missing = checked.filter(([, fault]) => fault !== undefined).map(([name]) => name);
    if (missing.length === 0) return json(context, 200, { status: "ok", checks });
    throw new Problem("not-ready", `Not ready: ${missing.join(", ")}.`, {
      retryAfterSeconds: 2,
      members: { checks },
    });
  });
}

/** Why the check failed, in a few words; undefined when it passed. */
async function faultOf({ check }: ReadinessCheck): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, CHECK_TIMEOUT_MS, `no answer within ${CHECK_TIMEOUT_MS} ms`);
  });
  try {
    return await Promise.race([check(), timeout]).then((late) => late ?? undefined);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}
