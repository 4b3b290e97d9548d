import { setTimeout as sleep } from "node:timers/promises";
import { createInngestClient, openApplication, type ProcessStart } from "@synap/service";
import type { Logger } from "pino";
import { readWorkerConfiguration } from "./configuration.ts";
import { type RunningWorker, startWorker } from "./server.ts";

/**
 * Runs a worker from environment variables, with the application's config and a database of its own, and registers it with
 * Inngest where INNGEST_SERVE_ORIGIN names the address at which Inngest finds it. Closing it closes the database too.
 *
 * @throws ConfigurationError naming the variables that are wrong or missing.
 */
export async function runWorker(start: ProcessStart): Promise<Pick<RunningWorker, "close" | "url">> {
  const { variables, logger } = start;
  const configuration = readWorkerConfiguration(variables);
  const { engine, close } = await openApplication(start, configuration, "INNGEST_SIGNING_KEY");
  try {
    const inngest = createInngestClient({ logger });
    const worker = await startWorker({ configuration, engine, inngest, logger });
    logger.info(`listening on ${worker.url}, Inngest's functions at ${worker.url}/api/inngest`);
    const registering = new AbortController();
    if (configuration.serveOrigin !== undefined) void registerWhenReady(worker, logger, registering.signal);
    return {
      url: worker.url,
      close: async () => {
        registering.abort();
        await worker.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function registerWhenReady(worker: RunningWorker, logger: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await worker.register();
      logger.info("registered with Inngest");
      return;
    } catch (error) {
      logger.warn(
        `not registered with Inngest yet: ${error instanceof Error ? error.message : String(error)}`,
      );
      await sleep(5_000, undefined, { signal }).catch(() => undefined);
    }
  }
}
