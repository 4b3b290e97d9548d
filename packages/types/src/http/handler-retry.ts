import { z } from "zod";

/** What a handler tries again after a failure. */
export const handlerRetry = z
  .looseObject({
    waiting: z
      .enum(["handler", "stream"])
      .describe("Whether all of the handler waits, or streams of it while the others go on."),
    streams: z.number().int().describe("How many streams wait."),
    eventId: z.string().optional().describe("The event that failed, where it is known."),
    position: z.number().int().optional(),
    attempts: z.number().int().describe("Failed attempts in a row."),
    transient: z.boolean().describe("What the handler needs is away: it is tried again without limit."),
    code: z.string(),
    firstFailedAt: z.iso.datetime(),
    failedAt: z.iso.datetime(),
    nextAttemptAt: z.iso.datetime(),
  })
  .describe("What is tried again after a failure; missing when nothing failed.");
