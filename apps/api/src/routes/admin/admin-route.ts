import type { RouteConfig } from "@hono/zod-openapi";
import { TransientHandlerError } from "@synap/handlers";
import type { ProblemCode } from "@synap/types/http";
import type { ApiApp, ApiContext, ApiDependencies } from "../../api-dependencies.ts";
import { requireAdminPermission } from "../../permission.ts";
import { Problem } from "../../problems/problem.ts";
import { problemResponses, registerRoute } from "../route-registration.ts";

/** Definition of an admin route, with the problems that only it answers. */
export interface AdminRoute extends Pick<RouteConfig, "method" | "path" | "summary" | "description"> {
  readonly operationId: string;
  readonly request?: RouteConfig["request"];
  readonly responses: RouteConfig["responses"];
  readonly problems?: readonly ProblemCode[];
}

/** Arguments of an admin route, in addition to the request. */
export interface AdminCall {
  /** The actor on whose behalf the request acts. */
  readonly actor: string;
}

const OF_EVERY_ROUTE = [
  "actor-invalid",
  "parameter-unknown",
  "token-missing",
  "admin-disabled",
  "token-invalid",
  "stream-locked",
  "database-unavailable",
] as const satisfies readonly ProblemCode[];

/** Registers a route that only the holder of the admin token may call. */
export function registerAdminRoute(
  app: ApiApp,
  { configuration }: ApiDependencies,
  { responses, problems = [], request, ...described }: AdminRoute,
  handle: (context: ApiContext, call: AdminCall) => Response | Promise<Response>,
): void {
  const route: RouteConfig = {
    ...described,
    ...(request !== undefined && { request }),
    tags: ["admin"],
    security: [{ adminToken: [] }],
    responses: { ...responses, ...problemResponses(...OF_EVERY_ROUTE, ...problems) },
  };
  registerRoute(app, route, async (context) => {
    const call = requireAdminPermission(context.req.raw, configuration.adminToken);
    try {
      return await handle(context, call);
    } catch (error) {
      throw error instanceof TransientHandlerError ? handlerUnavailable(error) : error;
    }
  });
}

/** Maps a transient failure to a problem with the handler's message, which other routes only log. */
function handlerUnavailable(cause: TransientHandlerError): Problem {
  return new Problem("handler-unavailable", `The handler could not work: ${cause.message}`, {
    retryAfterSeconds: 5,
    cause,
  });
}
