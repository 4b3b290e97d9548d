import type { EventDispatcher } from "@synap/handlers/internal";
import { type Inngest, NonRetriableError } from "inngest";
import { type CaughtUpHandler, catchUpHandler } from "../catch-up-handler.ts";

/** Maximum passes of one handler in one run: a hundred times 1,000 events, well below Inngest's call timeout. */
const MAX_PASSES = 100;

/**
 * "Catch up the handlers": every minute, one step per asynchronous handler and projection. It backs up the resident
 * runner, and replaces it where that is switched off (`SYNAP_RESIDENT_HANDLERS=false`).
 */
export function catchUpHandlers(
  client: Inngest.Any,
  dispatcher: Pick<EventDispatcher, "catchUp" | "followers">,
) {
  return client.createFunction(
    {
      id: "catch-up-handlers",
      name: "Catch up the handlers",
      triggers: [{ cron: "* * * * *" }],
      concurrency: { limit: 1 },
      // The run of the next minute is the retry.
      retries: 0,
    },
    async ({ step }) => {
      const results: CaughtUpHandler[] = [];
      for (const name of dispatcher.followers) {
        results.push(await step.run(name, () => catchUpHandler(dispatcher, name, MAX_PASSES)));
      }
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
