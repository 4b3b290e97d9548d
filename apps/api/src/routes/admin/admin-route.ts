import type { RouteConfig } from "@hono/zod-openapi";
import { TransientHandlerError } from "@synap/handlers";
import { actorOf, type ProblemCode } from "@synap/types/http";
import type { ApiApp, ApiContext } from "../../api-dependencies.ts";
import type { Principal } from "../../identity/principal.ts";
import { requireScope } from "../../identity/refusals.ts";
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
  /** The scopes of the principal. */
  readonly scopes: Principal["scopes"];
}

const OF_EVERY_ROUTE = [
  "actor-invalid",
  "parameter-unknown",
  "stream-locked",
  "database-unavailable",
] as const satisfies readonly ProblemCode[];

/** Registers a route that only principals with the scope `admin` may call. */
export function registerAdminRoute(
  app: ApiApp,
  { responses, problems = [], request, ...described }: AdminRoute,
  handle: (context: ApiContext, call: AdminCall) => Response | Promise<Response>,
): void {
  const route = {
    ...described,
    ...(request !== undefined && { request }),
    scope: "admin" as const,
    tags: ["admin"],
    responses: { ...responses, ...problemResponses(...OF_EVERY_ROUTE, ...problems) },
  };
  registerRoute(app, route, async (context, principal) => {
    const actor = readActor(context, principal);
    try {
      return await handle(context, { actor, scopes: principal.scopes });
    } catch (error) {
      throw error instanceof TransientHandlerError ? handlerUnavailable(error) : error;
    }
  });
}

const ACTOR = /^[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?$/;

/**
 * The actor of an admin action: the principal itself, or whoever the header `X-Synap-Actor` of one who may act for others names.
 *
 * @throws Problem `scope-missing`, `actor-invalid`
 */
export function readActor(context: ApiContext, principal: Principal): string {
  const actor = context.req.header("x-synap-actor")?.trim();
  if (actor === undefined || actor === "") return actorOf(principal);
  requireScope(principal, "act-for-others");
  if (ACTOR.test(actor)) return actor;
  throw new Problem("actor-invalid", "X-Synap-Actor takes 1 to 128 printable ASCII characters.");
}

/** Maps a transient failure to a problem with the handler's message, which other routes only log. */
function handlerUnavailable(cause: TransientHandlerError): Problem {
  return new Problem("handler-unavailable", `The handler could not work: ${cause.message}`, {
    retryAfterSeconds: 5,
    cause,
  });
}
