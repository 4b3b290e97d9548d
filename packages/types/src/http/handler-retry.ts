import { z } from "zod";

/** A handler's pending retry after a failure. */
export const handlerRetry = z
  .looseObject({
    waiting: z
      .enum(["handler", "stream"])
      .describe("`handler`: the whole handler waits. `stream`: only some streams wait."),
    streams: z.number().int().describe("Number of streams that wait."),
    eventId: z.string().optional().describe("The event that failed, if known."),
    position: z.number().int().optional(),
    attempts: z.number().int().describe("Consecutive failed attempts."),
    transient: z
      .boolean()
      .describe("True if a dependency of the handler is unavailable. It is then retried without limit."),
    code: z.string(),
    firstFailedAt: z.iso.datetime(),
    failedAt: z.iso.datetime(),
    nextAttemptAt: z.iso.datetime(),
  })
  .describe("The retry after a failure; absent when nothing failed.");
