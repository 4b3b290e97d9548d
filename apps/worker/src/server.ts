import type { Server } from "node:http";
import { type HttpBindings, serve } from "@hono/node-server";

import { createExposureWatch, type Database, guardedLogger, startPresence } from "@synap/database";
import { seededComposition } from "@synap/domain";
import { type Composition, EventDispatcher, HandlerRunner, operatingWarnings } from "@synap/handlers";

import { createCallerCheck } from "@synap/http";
import type { EventCatalogue } from "@synap/types";
import type { Inngest } from "inngest";
import type { Logger } from "pino";
import { createWorkerApp, FUNCTIONS_PATH } from "./app.ts";
import { ConfigurationError, type WorkerConfiguration } from "./configuration.ts";
import { catchUpHandlers } from "./functions/catch-up-handlers.ts";
import { failedEnvelopes } from "./functions/failed-envelopes.ts";
import { ingestEvents } from "./functions/ingest-events.ts";
import { registerFunctions } from "./register-functions.ts";
import type { Retries } from "./retry-schedule.ts";

/**
 * A caller gives up an idle connection after less than this. With Node's 5 s the two ends give it up at about the same
 * moment, and a busy broker now and then calls over a connection that is being closed.
 */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

/** What a worker works with. The database and the Inngest client stay the caller's. Default handlers: the seeded domain's. */
export interface WorkerParts extends Partial<Pick<Composition, "handlers" | "projections">> {
  readonly configuration: WorkerConfiguration;
  /** Open and migrated. */
  readonly database: Database;
  readonly catalogue: EventCatalogue;
  readonly inngest: Inngest.Any;
  readonly logger: Logger;
  /** How often storing an envelope is retried before the failure function decides. Default: 20. */
  readonly ingestRetries?: Retries;
  /** Milliseconds between two signs of life. Default: 5,000. */
  readonly presenceIntervalMs?: number;
}

/** A worker that runs. */
export interface RunningWorker {
  /** Where it listens, without a trailing slash. */
  readonly url: string;
  readonly dispatcher: EventDispatcher;
  /** Asks Inngest to take note of the functions. Throws when Inngest cannot be reached or refuses. */
  register(): Promise<void>;
  /** Stops: takes no further calls, finishes the calls and passes in flight. May be called twice. */
  close(): Promise<void>;
}

/**
 * Starts the worker: Inngest's functions over HTTP at `/api/inngest`, the asynchronous handlers in the
 * background, `/healthz` and `/readyz`.
 *
 * @throws ConfigurationError when the client has no signing key and is not in development mode
 * @throws an error of the operating system when the address is taken (code EADDRINUSE).
 */
export async function startWorker(parts: WorkerParts): Promise<RunningWorker> {
  const { configuration, database, inngest, logger } = parts;
  checkMode(parts);
  const { handlers, projections } = { ...seededComposition, ...parts };
  const dispatcher = new EventDispatcher({ database, catalogue: parts.catalogue, handlers, projections });
  // The embedded engine has one session: while it stores an envelope, no more than the next one can be made ready.
  const concurrency = database.engine === "embedded" ? 2 : configuration.ingestConcurrency;
  const ingest = {
    concurrency,
    logger: guardedLogger(logger),
    ...(parts.ingestRetries !== undefined && { retries: parts.ingestRetries }),
  };
  const functions = [
    ingestEvents(inngest, { database, dispatcher }, ingest),
    failedEnvelopes(inngest, { database, dispatcher }, ingest),
    catchUpHandlers(inngest, dispatcher),
  ];
  let app: ReturnType<typeof createWorkerApp> | undefined;
  const { server, url } = await listen((request, bindings) => {
    return app?.fetch(request, bindings) ?? new Response("starting", { status: 503 });
  }, configuration);
  const presence = await startPresence({
    database,
    role: "worker",
    catalogue: parts.catalogue,
    logger,
    intervalMs: parts.presenceIntervalMs,
    onBeat: () => dispatcher.deadLetters.closeStored(),
  });
  // Only now is it known where it listens, if any free port would do.
  const serveOrigin = configuration.serveOrigin ?? url;
  const exposures = createExposureWatch(database);
  app = createWorkerApp({
    inngest,
    functions,
    database,
    serveOrigin,
    registersItself: configuration.serveOrigin !== undefined,
    warnings: async () =>
      operatingWarnings(database, await presence.look(), { needsWorker: false, exposures }),
    callerCheck: createCallerCheck({
      listensOn: configuration.host,
      allowedHosts: [new URL(serveOrigin).hostname, ...(configuration.allowedHosts ?? [])],
    }),
  });
  const runner = new HandlerRunner({ dispatcher, database, logger });
  if (configuration.residentHandlers) runner.start();
  let closing: Promise<void> | undefined;
  return {
    url,
    dispatcher,
    register: () => registerFunctions(`${reachableUrl(url)}${FUNCTIONS_PATH}`, inngest),
    close: () => {
      closing ??= closeServer(server)
        .then(() => runner.stop())
        .finally(() => presence.close());
      return closing;
    },
  };
}

/** Without a signing key anybody who reaches the worker could call its functions, so that has to be chosen. */
function checkMode({ inngest, logger }: WorkerParts): void {
  if (inngest.mode === "dev") {
    logger.warn("development mode (INNGEST_DEV): the worker obeys calls without a signature");
  } else if (inngest.signingKey === undefined) {
    throw new ConfigurationError(
      "INNGEST_SIGNING_KEY is not set. Inngest signs its calls to the worker with it, and the worker obeys no others. For " +
        "Inngest's dev server, which has no keys, set INNGEST_DEV=1 instead.",
    );
  }
}

/** This machine's own address, where the server listens on all of them. */
function reachableUrl(url: string): string {
  return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}

async function listen(
  fetch: (request: Request, bindings: HttpBindings) => Response | Promise<Response>,
  { host, port }: WorkerConfiguration,
): Promise<{ server: Server; url: string }> {
  return await new Promise((resolve, reject) => {
    const serverOptions = { keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS };
    const server = serve(
      {
        fetch: (request, bindings) => fetch(request, bindings as HttpBindings),
        hostname: host,
        port,
        serverOptions,
      },
      (address) => {
        server.off("error", reject);
        resolve({ server, url: `http://${host.includes(":") ? `[${host}]` : host}:${address.port}` });
      },
    ) as Server;
    server.once("error", reject);
  });
}

async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    // A kept-alive connection is closed when its call has ended, or the caller would hold the server open for seconds.
    const idle = setInterval(() => server.closeIdleConnections(), 20);
    server.close((error) => {
      clearInterval(idle);
      if (error === undefined) resolve();
      else reject(error);
    });
  });
}
