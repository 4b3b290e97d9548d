import type { JsonObject } from "../json/json.ts";
import type { SynapEvent } from "./event.ts";

/**
 * The trace that a request or an event is a part of, as the two headers of W3C Trace Context have it.
 *
 * @see https://www.w3.org/TR/trace-context/
 */
export interface TraceContext {
  /** Version, trace id, id of the parent span and flags, in hexadecimal digits. */
  readonly traceparent: string;
  /** The positions of tracing systems in the trace. At most 512 characters. */
  readonly tracestate?: string;
}

// Later versions may append fields, after a hyphen. Version ff and ids of zeros are invalid.
const TRACEPARENT =
  /^(?:00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}|(?!00|ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[ -~]*)?)$/;
const MEMBER =
  /^(?:[a-z0-9][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})=[ -+\--<>-~]{0,255}[!-+\--<>-~]$/;
const MAX_TRACEPARENT = 256;
const MAX_TRACESTATE = 512;
const MAX_MEMBERS = 32;

/**
 * Reads a trace context. A `traceparent` that is malformed is none, and a `tracestate` that is malformed or too long is left out, as the
 * specification has it: neither is an error.
 */
export function readTraceContext(traceparent: unknown, tracestate: unknown): TraceContext | undefined {
  if (typeof traceparent !== "string" || traceparent.length > MAX_TRACEPARENT) return undefined;
  if (!TRACEPARENT.test(traceparent)) return undefined;
  return { traceparent, ...(isTraceState(tracestate) && { tracestate }) };
}

function isTraceState(value: unknown): value is string {
  if (typeof value !== "string" || value.length > MAX_TRACESTATE) return false;
  const members = value
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "");
  const keys = new Set(members.map((member) => member.slice(0, member.indexOf("="))));
  return (
    members.length > 0 &&
    members.length <= MAX_MEMBERS &&
    keys.size === members.length &&
    members.every((member) => MEMBER.test(member))
  );
}

/** The trace context of an event, which its metadata has as `traceparent` and `tracestate`. */
export function traceContextOf({ metadata }: Pick<SynapEvent, "metadata">): TraceContext | undefined {
  return readTraceContext(metadata?.["traceparent"], metadata?.["tracestate"]);
}

/** Metadata with a trace context. Metadata that has a `traceparent` of its own keeps it. */
export function withTraceContext(
  metadata: JsonObject | undefined,
  trace: TraceContext | undefined,
): JsonObject | undefined {
  if (trace === undefined || (metadata !== undefined && "traceparent" in metadata)) return metadata;
  const { tracestate: _, ...rest } = metadata ?? {};
  return { ...rest, ...trace };
}
