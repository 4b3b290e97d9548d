import { describeFailure, type EventDispatcher } from "@synap/handlers/internal";

/** Progress of one asynchronous handler, as shown in the Inngest dashboard. */
export interface CaughtUpHandler {
  readonly handler: string;
  readonly processed: number;
  readonly deadLettered: number;
  /** The checkpoint afterwards; absent if no pass finished. */
  readonly position?: number;
  /** `behind`: the run reached its limit of passes, and the next run continues. `busy`: another worker has the checkpoint. */
  readonly state: "caught up" | "behind" | "busy" | "failed";
  readonly failure?: string;
}

/** Runs passes of one handler until it has caught up, fails, runs in another worker, or has run `maxPasses`. */
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
