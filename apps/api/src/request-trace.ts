import type { TraceContext } from "@synap/types";
import { readTraceContext } from "@synap/types/internal";
import type { ApiContext } from "./api-dependencies.ts";

/** The trace that a request is a part of, from its headers `traceparent` and `tracestate`. */
export function requestTrace(context: ApiContext): TraceContext | undefined {
  return readTraceContext(context.req.header("traceparent"), context.req.header("tracestate"));
}
