import type { ReadPoint } from "@synap/database";
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

/** Reads the point of a reader from the position header. @throws Problem `parameter-invalid` */
export function readPoint(context: ApiContext): ReadPoint {
  const given = context.req.header(POSITION_HEADER);
  if (!positionHeaders.shape[POSITION_HEADER].safeParse(given).success)
    throw headerProblem("X-Synap-Position", "must be a position, a whole number from 0");
  return { position: Number(given ?? 0) };
}

/** Writes a position into the header of an answer; none for the beginning of the log. */
export function positionHeader(position: number): Record<string, string> {
  return position === 0 ? {} : { [POSITION_HEADER]: String(position) };
}
