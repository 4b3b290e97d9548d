import type { AtPoint, ReadPoint } from "@synap/database";
import { POSITION_HEADER, positionHeaders } from "@synap/types/http";
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
} as const;

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

/** The highest position that a read has seen: that of its server at the end, and those of the events that it answers. */
export function seenPosition(
  { point }: RequestPoint,
  events: readonly { readonly position: number }[],
): number {
  return events.reduce((highest, { position }) => Math.max(highest, position), point.position);
}

/** Writes the position of a read model into the header of its answer, 0 too: it has nothing yet. */
export function modelPositionHeader(position: number): Record<string, string> {
  return { [POSITION_HEADER]: String(position) };
}

/** Writes a position into the header of an answer; none for the beginning of the log. */
export function positionHeader(position: number): Record<string, string> {
  return position === 0 ? {} : { [POSITION_HEADER]: String(position) };
}
