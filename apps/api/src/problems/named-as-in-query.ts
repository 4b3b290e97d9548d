import { snakeName } from "@synap/types/internal";
import { Problem } from "./problem.ts";

/**
 * Names the query parameters of a problem as the request has spelt them: their names may be in snake case, and the code that finds a fault
 * knows the other one only.
 */
export function namedAsInQuery(problem: Problem, url: string): Problem {
  const start = url.indexOf("?");
  if (start < 0) return problem;
  const given = new URLSearchParams(url.slice(start));
  const spelt = (name: string) => (!given.has(name) && given.has(snakeName(name)) ? snakeName(name) : name);
  const { code, message, errors, headers, members, cause } = problem;
  const renamed = new Set(errors.map(({ path }) => path).filter((path) => spelt(path) !== path));
  if (renamed.size === 0) return problem;
  const inText = (text: string) =>
    text.replaceAll(/"(\w+)"/g, (all, name) => (renamed.has(name) ? `"${spelt(name)}"` : all));
  return new Problem(code, inText(message), {
    errors: errors.map((error) => ({ ...error, path: spelt(error.path) })),
    headers,
    members,
    cause,
  });
}
