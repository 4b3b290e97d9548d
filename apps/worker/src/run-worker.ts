import { createInngestClient, openApplication, type ProcessStart } from "@synap/service";
import { readWorkerConfiguration } from "./configuration.ts";
import { keepRegistered } from "./register-functions.ts";
import { type RunningWorker, startWorker } from "./server.ts";

/**
 * Runs a worker from environment variables, with the application's config and its own database connections. If
 * INNGEST_SERVE_ORIGIN is set, the worker registers its functions with Inngest. Closing it closes the database too.
 *
 * @throws ConfigurationError naming the invalid and missing variables
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
    if (configuration.serveOrigin !== undefined) {
      void keepRegistered({ register: () => worker.register(), logger, signal: registering.signal });
    }
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
