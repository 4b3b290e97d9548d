import type { IncomingMessage } from "node:http";
import { type CallerCheck, requestFault } from "@synap/http";
import { Problem } from "../problems/problem.ts";

/** Checks a request before routing. Returns the problem, or undefined. */
export function requestProblem(request: IncomingMessage, checkCaller: CallerCheck): Problem | undefined {
  const fault = requestFault(request);
  if (fault !== undefined) {
    return new Problem(fault.code, fault.detail, { headers: { connection: "close" } });
  }
  const { expect } = request.headers;
  // Node continues if 100-continue is one of several expectations.
  if (expect !== undefined && expect.trim().toLowerCase() !== "100-continue") return expectationFailed();
  const caller = checkCaller(request);
  return caller === undefined ? undefined : new Problem(caller.code, caller.detail);
}

export function expectationFailed(): Problem {
  return new Problem("expectation-failed", "Only Expect: 100-continue is supported.");
}
