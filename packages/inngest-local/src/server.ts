import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import {
  createCallerCheck,
  isJsonOrEmpty,
  KEEP_ALIVE_MS,
  type Listening,
  listen,
  requestFault,
  SECURITY_HEADERS,
} from "@synap/http";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Broker } from "./broker.ts";
import { addEventRoutes, type IntakeSettings } from "./intake/event-routes.ts";
import { addPageRoutes } from "./page/page-routes.ts";
import type { QueueSession } from "./queue/database.ts";
import type { AppState } from "./registration/app-poller.ts";
import type { RefusalLog } from "./registration/refusal-log.ts";
import { addRegistrationRoutes } from "./registration/registration-routes.ts";
import type { Keys } from "./signing/read-keys.ts";
import { addCheckpointRoutes } from "./steps/checkpoint-routes.ts";

interface ServerSettings extends Omit<IntakeSettings, "onUnmatched" | "eventKeys"> {
  readonly host: string;
  readonly port: number;
  /** Maximum size of a request body, in bytes. */
  readonly maxRequestBytes: number;
  readonly hostNames: readonly string[];
  /** Undefined: in development mode. */
  readonly keys: Keys | undefined;
  readonly refusals: RefusalLog;
  readonly onRegistered: () => void;
  readonly calledRuns: () => Set<string>;
  readonly appStates: () => readonly { readonly url: string; readonly state: AppState }[];
}

/** Maximum number of event names remembered as logged, so that faulty senders can't fill the memory. */
const MAX_UNMATCHED_NAMES = 100;

const NOT_JSON = "The body must be declared as JSON (Content-Type: application/json)";

/** Time after which a database that has not answered counts as busy, in milliseconds. */
const BUSY_MS = 500;

/** True if a query fails. A busy database is not away: an embedded engine answers one query at a time. */
async function isDatabaseAway(database: QueueSession): Promise<boolean> {
  const answered = database.query("SELECT 1").then(
    () => false,
    () => true,
  );
  return Promise.race([answered, sleep(BUSY_MS, false, { ref: false })]);
}

/** Starts the HTTP server. @throws errors of the port, such as EADDRINUSE */
export async function startServer(broker: Broker, settings: ServerSettings): Promise<Listening> {
  const logged = new Set<string>();
  const onUnmatched = (name: string) => {
    if (logged.has(name) || logged.size >= MAX_UNMATCHED_NAMES) return;
    logged.add(name);
    broker.logger.error(
      { event: name },
      "no registered function matches an event; it is kept until one does",
    );
  };
  const app = new Hono();
  const callerFault = createCallerCheck({ listensOn: settings.host, allowedHosts: settings.hostNames });
  app.use(async (context, next) => {
    const { incoming } = context.env as HttpBindings;
    const malformed = requestFault(incoming);
    const fault = callerFault(incoming);
    if (malformed !== undefined) {
      context.res = context.json({ error: malformed.detail, status: malformed.status }, malformed.status);
    } else if (fault !== undefined) context.res = context.json({ error: fault.detail, status: 403 }, 403);
    else if (!isJsonOrEmpty(incoming)) context.res = context.json({ error: NOT_JSON, status: 415 }, 415);
    else await next();
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
      if (!context.res.headers.has(name)) context.header(name, value);
    }
    context.header("x-inngest-server-kind", settings.keys === undefined ? "dev" : "cloud");
  });
  const { maxRequestBytes } = settings;
  app.use(
    bodyLimit({
      maxSize: maxRequestBytes,
      onError: (context) => {
        const error = `Request body is over ${maxRequestBytes} bytes`;
        // The SDK reads `ids` and the status from the body where it sends events.
        return context.json({ ids: [""], status: 413, error }, 413);
      },
    }),
  );
  app.get("/health", async (context) => {
    const isAway = await isDatabaseAway(broker.database);
    if (isAway) return context.json({ status: 503, message: "The queue's database is unavailable" }, 503);
    return context.json({ status: 200, message: "OK" });
  });
  app.get("/kept", (context) => context.json(broker.kept.counts()));
  const signingKey = settings.keys?.signing;
  addEventRoutes(app, broker, { ...settings, eventKeys: settings.keys?.events, onUnmatched });
  addRegistrationRoutes(app, broker, { ...settings, signingKey });
  addCheckpointRoutes(app, broker, signingKey);
  addPageRoutes(app, broker, { ...settings, signingKey });
  app.notFound((context) => {
    return context.json(
      { error: `inngest-local has no ${context.req.method} ${context.req.path}`, status: 404 },
      404,
    );
  });
  app.onError((error, context) => {
    broker.logger.error({ error, path: context.req.path }, "a request failed");
    return context.json({ error: "Internal error", status: 500 }, 500);
  });

  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MS },
    getRequestListener(app.fetch, { hostname: settings.host }),
  );
  // No grace period: senders repeat requests that were not answered.
  return listen(server, { host: settings.host, port: settings.port, graceMs: 0 });
}
