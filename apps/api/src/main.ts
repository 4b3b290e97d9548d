import { surviveUnhandledFailures } from "@synap/handlers";
import { createLogger } from "./logger.ts";
import { runApi } from "./run-api.ts";

// The API as a process of its own. The embedded default runs it inside `npm start` instead.
const logger = createLogger("api", process.env);
const failures = surviveUnhandledFailures({ logger });
try {
  const api = await runApi(process.env, logger, { failures });
  let isStopping = false;
  const stop = async (signal: NodeJS.Signals) => {
    if (isStopping) process.exit(1);
    isStopping = true;
    logger.info(`${signal}: finishing what runs; a second signal stops at once`);
    try {
      await api.close();
    } catch (error) {
      logger.fatal({ err: error }, "stopping failed");
      process.exit(1);
    }
    logger.info("stopped");
    process.exit(0);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
} catch (error) {
  // A mistake of the environment needs one sentence, a mistake of ours its stack.
  if (error instanceof Error && "code" in error) logger.fatal(error.message);
  else logger.fatal({ err: error }, "the API cannot start");
  process.exit(1);
}
