import { createServer } from "node:http";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { createExposureWatch, guardedLogger, startPresence } from "@synap/database/internal";
import { HandlerRunner, type HandlerRunnerOptions, operatingWarnings } from "@synap/handlers/internal";
import { createCallerCheck, KEEP_ALIVE_MS, listen } from "@synap/http";
import {
  ConfigurationError,
  createProcessMetrics,
  databaseCheck,
  migrationsCheck,
  writeCheck,
} from "@synap/service";
import { SYNAP_COMMAND } from "@synap/service/called-as";
import type { Engine } from "@synap/synap/internal";
import type { Inngest } from "inngest";
import type { Logger } from "pino";
import { createWorkerApp, FUNCTIONS_PATH } from "./app.ts";
import type { WorkerConfiguration } from "./configuration.ts";
import { catchUpHandlers } from "./functions/catch-up-handlers.ts";
import { failedEnvelopes } from "./functions/failed-envelopes.ts";
import { ingestEvents } from "./functions/ingest-events.ts";
import type { Retries } from "./functions/retry-schedule.ts";
import { registerFunctions } from "./register-functions.ts";

/** Options of a worker. The caller closes the engine. */
export interface WorkerOptions {
  readonly configuration: WorkerConfiguration;
  readonly engine: Engine;
  readonly inngest: Inngest.Any;
  readonly logger: Logger;
  /** Number of retries of an envelope before `failed-envelopes` handles it. Default: 20. */
  readonly ingestRetries?: Retries;
  /** Milliseconds between two heartbeats. Default: 5,000. */
  readonly presenceIntervalMs?: number;
}

/** A running worker. */
export interface RunningWorker {
  /** URL of the server, without a trailing slash. */
  readonly url: string;
  /** Registers the functions with Inngest. Returns true if Inngest did not know them; throws if it can't be reached or refuses. */
  register(): Promise<boolean>;
  /** Stops: refuses new calls, and finishes running calls and passes. May be called twice. */
  close(): Promise<void>;
}

/**
 * Starts the worker: Inngest's functions over HTTP at `/api/inngest`, the asynchronous handlers in the
 * background, `/healthz` and `/readyz`.
 *
 * @throws ConfigurationError when the client has no signing key and is not in development mode
 * @throws the operating system's error when the address is in use (code EADDRINUSE)
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { configuration, engine, inngest, logger } = options;
  const { catalogue, database, dispatcher } = engine;
  checkMode(options);
  const metrics = createProcessMetrics();
  const measured: HandlerRunnerOptions["dispatcher"] = {
    followers: dispatcher.followers,
    registry: dispatcher.registry,
    catchUp: (name, announced) => metrics.passing(name, () => dispatcher.catchUp(name, announced)),
    recordPassFailure: (...failure) => dispatcher.recordPassFailure(...failure),
    releaseInline: () => dispatcher.releaseInline(),
    countEvents: () => dispatcher.countEvents(),
    extendChain: () => dispatcher.extendChain(),
    removePurgedCopies: () => dispatcher.removePurgedCopies(),
    stopSinks: () => dispatcher.stopSinks(),
  };
  // The embedded engine has one session, so only one more envelope can be prepared while one is stored.
  const concurrency = database.engine === "embedded" ? 2 : configuration.ingestConcurrency;
  const ingest = {
    concurrency,
    logger: guardedLogger(logger),
    ...(options.ingestRetries !== undefined && { retries: options.ingestRetries }),
  };
  const functions = [
    ingestEvents(inngest, { database, dispatcher, metrics }, ingest),
    failedEnvelopes(inngest, { database, dispatcher, metrics }, ingest),
    catchUpHandlers(inngest, measured),
  ];
  let app: ReturnType<typeof createWorkerApp> | undefined;
  const listener = getRequestListener(
    (request, bindings) =>
      // The server speaks HTTP/1.1 only, so these are Node's HTTP/1.1 types.
      app?.fetch(request, bindings as HttpBindings) ?? new Response("starting", { status: 503 }),
    { hostname: configuration.host },
  );
  const http = await listen(createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, listener), configuration);
  const { url } = http;
  const presence = await startPresence({
    database,
    role: "worker",
    catalogue,
    logger,
    intervalMs: options.presenceIntervalMs,
    onBeat: async () => {
      await dispatcher.deadLetters.closeStored();
      await dispatcher.deadLetters.storeNewer();
    },
  });
  // With port 0, the port is known only now.
  const serveOrigin = configuration.serveOrigin ?? url;
  const exposures = createExposureWatch(database);
  app = createWorkerApp({
    inngest,
    functions,
    database,
    readiness: [databaseCheck(database), migrationsCheck(database, engine.migrations), writeCheck(database)],
    metrics,
    logger,
    serveOrigin,
    registersItself: configuration.serveOrigin !== undefined,
    warnings: async () =>
      operatingWarnings(database, await presence.look(), {
        needsWorker: false,
        synapCommand: SYNAP_COMMAND,
        exposures,
      }),
    callerCheck: createCallerCheck({
      listensOn: configuration.host,
      allowedHosts: [new URL(serveOrigin).hostname, ...(configuration.allowedHosts ?? [])],
    }),
  });
  const runner = new HandlerRunner({ dispatcher: measured, database, logger });
  if (configuration.residentHandlers) runner.start();
  let closing: Promise<void> | undefined;
  return {
    url,
    register: () => registerFunctions(`${reachableUrl(url)}${FUNCTIONS_PATH}`, inngest),
    close: () => {
      closing ??= http
        .close()
        .then(() => runner.stop())
        .finally(() => presence.close());
      return closing;
    },
  };
}

/** Refuses a missing signing key outside of development mode, because anybody could call the functions without one. */
function checkMode({ inngest, logger }: WorkerOptions): void {
  if (inngest.mode === "dev") {
    logger.warn("development mode (INNGEST_DEV): the worker accepts unsigned calls");
  } else if (inngest.signingKey === undefined) {
    throw new ConfigurationError(
      "INNGEST_SIGNING_KEY is not set. Inngest signs its calls with it, and the worker accepts only signed calls. For " +
        "Inngest's dev server, which has no keys, set INNGEST_DEV=1 instead.",
    );
  }
}

/** Replaces a wildcard address by the loopback address. */
function reachableUrl(url: string): string {
  return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}
