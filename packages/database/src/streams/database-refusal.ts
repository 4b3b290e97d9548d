import { z } from "zod";
import { sqlState } from "../connection/database-errors.ts";
import { EventIdConflictError, OptimisticLockError, StreamClosedError } from "./stream-errors.ts";

const stream = z.object({ aggregateType: z.string(), aggregateId: z.string() });
const lockDetail = stream.extend({
  expected: z.union([z.enum(["any", "no-stream", "stream-exists"]), z.number()]),
  actual: z.number(),
});
const idDetail = z.object({ id: z.string() });

/** What the SQL functions refuse with a state of their own, as the error it stands for; anything else as it is. */
export function readRefusal(error: unknown): unknown {
  const state = sqlState(error);
  if (state === undefined || !/^SY00[167]$/.test(state)) return error;
  const detail: unknown = JSON.parse(detailOf(error) ?? "{}");
  if (state === "SY001") {
    const { expected, actual, ...name } = lockDetail.parse(detail);
    return new OptimisticLockError(name, expected, actual, { cause: error });
  }
  if (state === "SY006") return new StreamClosedError(stream.parse(detail), { cause: error });
  return new EventIdConflictError(idDetail.parse(detail).id, { cause: error });
}

/** Drivers put PostgreSQL's detail into `detail`; what wraps their errors has them as the cause. */
function detailOf(error: unknown): string | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 8; each = each.cause, depth += 1) {
    if ("detail" in each && typeof each.detail === "string") return each.detail;
  }
  return undefined;
}
