import { describeFailure, type EventDispatcher } from "@synap/handlers/internal";
import { type Inngest, NonRetriableError } from "inngest";

/** Maximum number of passes of a handler in one run: a hundred times 1,000 events take far less than Inngest's call timeout. */
const MAX_PASSES = 100;

/**
 * Creates the function "Catch up the handlers": every minute, one step per asynchronous handler and projection, one for what is
 * parked for inline handlers, one for the compliance figures, one for the hash chain, and one for copies of purged events. It is a fallback
 * for the resident runner, and replaces it if that is disabled (`SYNAP_RESIDENT_HANDLERS=false`).
 */
export function catchUpHandlers(
  client: Inngest.Any,
  dispatcher: Pick<
    EventDispatcher,
    "catchUp" | "countEvents" | "extendChain" | "followers" | "releaseInline" | "removePurgedCopies"
  >,
) {
  return client.createFunction(
    {
      id: "catch-up-handlers",
      name: "Catch up the handlers",
      triggers: [{ cron: "* * * * *" }],
      concurrency: { limit: 1 },
      // The next run follows in a minute.
      retries: 0,
    },
    async ({ step }) => {
      const results: CaughtUpHandler[] = [];
      for (const name of dispatcher.followers) {
        results.push(await step.run(name, () => catchUpHandler(dispatcher, name, MAX_PASSES)));
      }
      await step.run("inline handlers", () => dispatcher.releaseInline());
      await step.run("compliance figures", async () => {
        for (let passes = 1; passes < MAX_PASSES && (await dispatcher.countEvents()); passes += 1);
      });
      await step.run("hash chain over the log", async () => {
        for (let passes = 1; passes < MAX_PASSES && (await dispatcher.extendChain()); passes += 1);
      });
      await step.run("copies of purged events", () => dispatcher.removePurgedCopies());
      const failed = results.filter((result) => result.state === "failed");
      if (failed.length > 0) {
        throw new NonRetriableError(
          failed.map((result) => `${result.handler}: ${result.failure}`).join("; "),
        );
      }
      return results;
    },
  );
}

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
