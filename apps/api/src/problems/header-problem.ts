import { Problem } from "./problem.ts";

/** The problem of a request header that is not valid. */
export function headerProblem(name: string, reason: string): Problem {
  const errors = [{ path: name, code: "parameter-invalid", reason }];
  return new Problem("parameter-invalid", `The header ${name} ${reason}.`, { errors });
}
