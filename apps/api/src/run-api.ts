import { createInngestClient, openApplication, type ProcessStart, readReplica } from "@synap/service";
import { readApiConfiguration } from "./configuration.ts";
import { type RunningApi, startApi } from "./server.ts";

/**
 * Runs an API from environment variables, with the application's config and its own database connections. Closing it closes the
 * database too.
 *
 * @throws ConfigurationError naming the invalid and missing variables
 */
export async function runApi(start: ProcessStart): Promise<RunningApi> {
  const { variables, logger } = start;
  const configuration = readApiConfiguration(variables);
  const replica = readReplica(variables, configuration);
  const { engine, close } = await openApplication(start, configuration, "INNGEST_EVENT_KEY", replica);
  try {
    const inngest = createInngestClient({ logger });
    const api = await startApi({ configuration, engine, inngest, logger });
    logger.info(`listening on ${api.url}, events go to ${inngest.eventBaseUrl}`);
    return { url: api.url, close: () => api.close().then(close) };
  } catch (error) {
    await close();
    throw error;
  }
}
