import type { RetryingEvent } from "./held-streams.ts";

/** The result of a pass. */
export type HandlerPass =
  /** Another worker has the checkpoint. */
  | { readonly status: "busy" }
  | {
      readonly status: "done";
      /** Events handed to the handler, dead letters included. */
      readonly processed: number;
      readonly deadLettered: number;
      /** Failed events that will be retried alone, while the later events of their streams wait. */
      readonly retrying: readonly RetryingEvent[];
      /** Time until the next retry, in milliseconds. Missing if no event waits for one. */
      readonly retryInMs?: number | undefined;
      /** The checkpoint after the pass. */
      readonly position: number;
      /** Nothing was left below the watermark. */
      readonly caughtUp: boolean;
    };

/** The result of a pass that had nothing to do. */
export function idle(position: number): HandlerPass {
  return { status: "done", processed: 0, deadLettered: 0, retrying: [], position, caughtUp: true };
}
