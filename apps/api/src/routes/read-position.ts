import type { AtPoint, ReadPoint } from "@synap/database";
import { readPrefer } from "@synap/http";
import { MAX_POSITION_WAIT_SECONDS, POSITION_HEADER, positionHeaders } from "@synap/types/http";
import type { ApiContext } from "../api-dependencies.ts";
import { headerProblem } from "../problems/header-problem.ts";

/** The position header of an answer, for the definition of a route. */
export const positionOfAnswer = {
  "X-Synap-Position": {
    description: "Sent with the next read, that read sees everything that this one has seen or written.",
    schema: { type: "string" },
  },
} as const;

/** The position header of an answer of a read model, for the definition of a route. */
export const positionOfModel = {
  "X-Synap-Position": {
    description:
      "The answer has every event up to this position, except those that wait behind a dead letter or a retry.",
    schema: { type: "string" },
  },
  "Preference-Applied": {
    description: "`wait`: the request has waited until the read model had the position that it named.",
    schema: { type: "string" },
  },
} as const;

/** A wait that a request prefers. */
export interface RequestedWait {
  readonly position: number;
  readonly waitMs: number;
}

/**
 * Reads which position a reader wants to wait for, and how long: undefined without a preference (RFC 7240), since clients send the position
 * that they have seen with every read. An unreadable preference is ignored, as is one without a position.
 *
 * @throws Problem `parameter-invalid` for a position that is none
 */
export function readPositionWait(context: ApiContext): RequestedWait | undefined {
  const { minPosition: position } = readPoint(context);
  const header = context.req.header("prefer");
  if (header === undefined || context.req.header(POSITION_HEADER) === undefined) return undefined;
  const seconds = readPrefer(header).get("wait") ?? "";
  if (!/^\d{1,9}$/.test(seconds)) return undefined;
  return { position, waitMs: Math.min(Number(seconds), MAX_POSITION_WAIT_SECONDS) * 1_000 };
}

/** Returns a signal that is aborted when the client has gone, or never without a server. */
export function closedSignal({ env: { outgoing } }: ApiContext): AbortSignal {
  const closed = new AbortController();
  const abort = () => closed.abort(new Error("The client has disconnected."));
  if (outgoing?.closed === true) abort();
  else outgoing?.once("close", abort);
  return closed.signal;
}

/**
 * The positions of a request that reads: the one that it must not fall behind, and the one that it has seen. They are apart, because the
 * caller may ask for more than there is, and an answer announces only what was read.
 */
export interface RequestPoint extends AtPoint {
  readonly point: ReadPoint;
  readonly minPosition: number;
}

/** Reads the position that a reader asks for from the position header. @throws Problem `parameter-invalid` */
export function readPoint(context: ApiContext): RequestPoint {
  const given = context.req.header(POSITION_HEADER);
  if (!positionHeaders.shape[POSITION_HEADER].safeParse(given).success)
    throw headerProblem("X-Synap-Position", "must be a position, a whole number from 0");
  return { point: { position: 0 }, minPosition: Number(given ?? 0) };
}

/** Refuses a position that the store has lost, whatever reads with it. Its form is checked where it is read. @throws PositionLostError */
export function checkPosition(context: ApiContext): Promise<void> | undefined {
  const given = context.req.header(POSITION_HEADER);
  if (given === undefined || !/^\d{1,16}$/.test(given)) return undefined;
  return context.get("checkPosition")(Number(given)) ?? undefined;
}

/** The highest position that a read has seen: that of its server at the end, and those of the events that it answers. */
export function seenPosition(
  { point }: RequestPoint,
  events: readonly { readonly position: number }[],
): number {
  return events.reduce((highest, { position }) => Math.max(highest, position), point.position);
}

/** Writes the position of a read model into the headers of its answer, 0 too: it has nothing yet. And if it was waited for. */
export function modelPositionHeader(position: number, wait?: RequestedWait): Record<string, string> {
  return { [POSITION_HEADER]: String(position), ...(wait !== undefined && { "preference-applied": "wait" }) };
}

/** Writes a position into the header of an answer; none for the beginning of the log. */
export function positionHeader(position: number): Record<string, string> {
  return position === 0 ? {} : { [POSITION_HEADER]: String(position) };
}
