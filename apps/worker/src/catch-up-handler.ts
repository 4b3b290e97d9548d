import { describeFailure, type EventDispatcher } from "@synap/handlers/internal";

/** Progress of one asynchronous handler, as shown in the Inngest dashboard. */
export interface CaughtUpHandler {
  readonly handler: string;
  readonly processed: number;
  readonly deadLettered: number;
  /** Its checkpoint afterwards; absent when no pass ended. */
  readonly position?: number;
  /** `behind`: the limit on passes ended the run, and the next run continues. `busy`: another worker is running the handler. */
  readonly state: "caught up" | "behind" | "busy" | "failed";
  readonly failure?: string;
}

/** Runs passes of one handler until it is caught up, fails, is busy elsewhere, or `maxPasses` are done. */
export async function catchUpHandler(
  dispatcher: Pick<EventDispatcher, "catchUp">,
  handler: string,
  maxPasses: number,
): Promise<CaughtUpHandler> {
  let progress: Omit<CaughtUpHandler, "state"> = { handler, processed: 0, deadLettered: 0 };
  for (let passes = 0; passes < maxPasses; passes += 1) {
    try {
      const pass = await dispatcher.catchUp(handler);
      if (pass.status === "busy") return { ...progress, state: "busy" };
      progress = {
        handler,
        processed: progress.processed + pass.processed,
        deadLettered: progress.deadLettered + pass.deadLettered,
        position: pass.position,
      };
      if (pass.caughtUp) return { ...progress, state: "caught up" };
    } catch (error) {
      return { ...progress, state: "failed", failure: describeFailure(error).reason };
    }
  }
  return { ...progress, state: "behind" };
}
