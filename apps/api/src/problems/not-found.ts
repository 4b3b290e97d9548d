import type { ApiApp, ApiContext } from "../api-context.ts";
import { Problem } from "./problem.ts";

/**
 * What to answer where no route matches: 405 with Allow when the address exists for other methods, else 404. Worked
 * out here rather than in a middleware, so that a request that finds its route pays nothing for it.
 */
export function unmatchedProblem(app: ApiApp, context: ApiContext): Problem {
  const { path, method } = context.req;
  const methods = new Set(
    app.routes
      .filter((route) => route.method !== "ALL" && toPattern(route.path).test(path))
      .map((route) => route.method),
  );
  if (methods.has("GET")) methods.add("HEAD");
  if (methods.size === 0) {
    return new Problem("route-not-found", `There is no route ${path.slice(0, 200)}. GET / lists the routes.`);
  }
  return methodNotAllowed(method, [...methods]);
}

/** The address exists for these methods only. */
export function methodNotAllowed(method: string, methods: readonly string[]): Problem {
  const allow = methods.join(", ");
  return new Problem("method-not-allowed", `${method} is not allowed here; allowed: ${allow}.`, {
    headers: { allow },
  });
}

function toPattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/[.*+?^$()[\]\\]/g, "\\$&").replaceAll(/:\w+/g, "[^/]+")}$`);
}
