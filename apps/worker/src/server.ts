import type { Server } from "node:http";
import { serve } from "@hono/node-server";
import type { Database } from "@synap/database";
import {
  builtInHandlers,
  builtInProjections,
  EventDispatcher,
  HandlerRunner,
  type IEventHandler,
  type Projection,
} from "@synap/handlers";
import type { EventCatalogue } from "@synap/types";
import type { Inngest } from "inngest";
import type { Logger } from "pino";
import { createWorkerApp } from "./app.ts";
import type { WorkerConfiguration } from "./configuration.ts";
import { catchUpHandlers } from "./functions/catch-up-handlers.ts";
import { ingestEvents } from "./functions/ingest-events.ts";
import type { Retries } from "./retry-schedule.ts";

/**
 * A caller gives up an idle connection after less than this. With Node's 5 s the two ends give it up at about the same
 * moment, and a busy broker now and then calls over a connection that is being closed.
 */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

/** What a worker works with. The database and the Inngest client stay the caller's. */
export interface WorkerParts {
  readonly configuration: WorkerConfiguration;
  /** Open and migrated. */
  readonly database: Database;
  readonly catalogue: EventCatalogue;
  readonly inngest: Inngest.Any;
  readonly logger: Logger;
  /** Default: the built-in handlers. */
  readonly handlers?: readonly IEventHandler[];
  /** The read models to keep. Default: the built-in projections. */
  readonly projections?: readonly Projection[];
  /** How often storing an envelope is retried before the failure function decides. Default: 20. */
  readonly ingestRetries?: Retries;
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
 * @throws an error of the operating system when the address is taken (code EADDRINUSE).
 */
export async function startWorker(parts: WorkerParts): Promise<RunningWorker> {
  const { configuration, database, inngest, logger } = parts;
  const handlers = parts.handlers ?? builtInHandlers;
  const projections = parts.projections ?? builtInProjections;
  const dispatcher = new EventDispatcher({ database, catalogue: parts.catalogue, handlers, projections });
  // The embedded engine has one session: while it stores an envelope, no more than the next one can be made ready.
  const concurrency = database.engine === "embedded" ? 2 : configuration.ingestConcurrency;
  const functions = [
    ingestEvents(
      inngest,
      { database, dispatcher },
      { concurrency, logger, ...(parts.ingestRetries !== undefined && { retries: parts.ingestRetries }) },
    ),
    catchUpHandlers(inngest, dispatcher),
  ];
  const app = createWorkerApp({ inngest, functions, database, ...serveOrigin(configuration) });
  const { server, url } = await listen(app.fetch, configuration);
  const runner = new HandlerRunner({ dispatcher, database, logger });
  if (configuration.residentHandlers) runner.start();
  let closing: Promise<void> | undefined;
  return {
    url,
    dispatcher,
    register: () => register(url),
    close: () => {
      closing ??= closeServer(server).then(() => runner.stop());
      return closing;
    },
  };
}

function serveOrigin({ serveOrigin }: WorkerConfiguration): { serveOrigin?: string } {
  return serveOrigin === undefined ? {} : { serveOrigin };
}

async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  { host, port }: WorkerConfiguration,
): Promise<{ server: Server; url: string }> {
  return await new Promise((resolve, reject) => {
    const serverOptions = { keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS };
    const server = serve({ fetch, hostname: host, port, serverOptions }, (address) => {
      server.off("error", reject);
      resolve({ server, url: `http://${host.includes(":") ? `[${host}]` : host}:${address.port}` });
    }) as Server;
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

async function register(url: string): Promise<void> {
  const response = await fetch(`${url}/api/inngest`, { method: "PUT" });
  if (!response.ok) throw new Error(`Inngest did not take the functions: ${await response.text()}`);
}
