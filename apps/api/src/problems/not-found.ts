import { didYouMean, nearMatches } from "@synap/types/internal";
import type { ApiApp, ApiContext } from "../api-dependencies.ts";
import { Problem } from "./problem.ts";

/**
 * Builds the problem of a request that matches no route: 405 with Allow if the path exists for other methods, otherwise 404.
 * Not a middleware, so that requests with a route don't pay for it.
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
    const meant = didYouMean(path, addressesLike(app, path));
    return new Problem(
      "route-not-found",
      `There is no route ${path.slice(0, 200)}${meant}. GET / lists the routes.`,
    );
  }
  return methodNotAllowed(method, [...methods]);
}

/** Finds route paths of which every segment resembles this path, with its parameters filled in. None of them is empty. */
function addressesLike(app: ApiApp, path: string): Set<string> {
  const segments = path.split("/");
  return new Set(
    app.routes
      .map((route) => route.path.split("/"))
      .filter(
        (route) =>
          route.length === segments.length &&
          route.every((part, index) => {
            const given = segments[index] ?? "";
            return (
              (part.startsWith(":") && given !== "") ||
              part === given ||
              nearMatches(given, [part]).length > 0
            );
          }),
      )
      .map((route) => route.map((part, index) => (part.startsWith(":") ? segments[index] : part)).join("/")),
  );
}

/** Builds the problem of a path that exists for these methods only. */
export function methodNotAllowed(method: string, methods: readonly string[]): Problem {
  const allow = methods.join(", ");
  return new Problem("method-not-allowed", `${method} is not allowed here; allowed: ${allow}.`, {
    headers: { allow },
  });
}

function toPattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/[.*+?^$()[\]\\]/g, "\\$&").replaceAll(/:\w+/g, "[^/]+")}$`);
}
