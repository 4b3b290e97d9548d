import type { IncomingMessage } from "node:http";
import { type CallerCheck, requestFault } from "@synap/http";
import { Problem } from "../problems/problem.ts";

/** Returns why a request is refused before its route is looked for; undefined when it is not. */
export function requestProblem(request: IncomingMessage, checkCaller: CallerCheck): Problem | undefined {
  const fault = requestFault(request);
  if (fault !== undefined) {
    return new Problem(fault.code, fault.detail, { headers: { connection: "close" } });
  }
  const caller = checkCaller(request);
  return caller === undefined ? undefined : new Problem(caller.code, caller.detail);
}
