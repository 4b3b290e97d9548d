import { createServer } from "node:http";
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
import { addEventRoutes, type IntakeSettings } from "./intake/event-routes.ts";
import { addPageRoutes } from "./page/page-routes.ts";
import type { AppState } from "./registration/app-poller.ts";
import type { RefusalLog } from "./registration/refusal-log.ts";
import { addRegistrationRoutes } from "./registration/registration-routes.ts";
import type { Keys } from "./signing/read-keys.ts";
import type { StandIn } from "./stand-in.ts";
import { addCheckpointRoutes } from "./steps/checkpoint-routes.ts";

interface ServerSettings extends Omit<IntakeSettings, "onUnheard" | "eventKeys"> {
  readonly host: string;
  readonly port: number;
  /** The largest body of any request, in bytes. */
  readonly maxRequestBytes: number;
  readonly hostNames: readonly string[];
  /** Undefined: in development mode. */
  readonly keys: Keys | undefined;
  readonly refusals: RefusalLog;
  readonly onRegistered: () => void;
  readonly calledRuns: () => Set<string>;
  readonly appStates: () => readonly { readonly url: string; readonly state: AppState }[];
}

/** Names of events without a function are logged up to this many, so that odd senders can't fill the memory. */
const MAX_UNHEARD_NAMES = 100;

const NOT_JSON = "The body must be declared as JSON (Content-Type: application/json)";

/** Opens the port. @throws the port's error, such as EADDRINUSE */
export async function startServer(standIn: StandIn, settings: ServerSettings): Promise<Listening> {
  const logged = new Set<string>();
  const onUnheard = (name: string) => {
    if (logged.has(name) || logged.size >= MAX_UNHEARD_NAMES) return;
    logged.add(name);
    standIn.logger.error(
      { event: name },
      "no function listens to an event that came in; kept until one does",
    );
  };
  const app = new Hono();
  const callerFault = createCallerCheck({ listensOn: settings.host, allowedHosts: settings.hostNames });
  app.use(async (context, next) => {
    const { incoming } = context.env as HttpBindings;
    const unsound = requestFault(incoming);
    const fault = callerFault(incoming);
    if (unsound !== undefined) {
      context.res = context.json({ error: unsound.detail, status: unsound.status }, unsound.status);
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
  app.get("/health", (context) => context.json({ status: 200, message: "OK" }));
  app.get("/kept", (context) => context.json(standIn.kept.counts()));
  const signingKey = settings.keys?.signing;
  addEventRoutes(app, standIn, { ...settings, eventKeys: settings.keys?.events, onUnheard });
  addRegistrationRoutes(app, standIn, { ...settings, signingKey });
  addCheckpointRoutes(app, standIn, signingKey);
  addPageRoutes(app, standIn, { ...settings, signingKey });
  app.notFound((context) => {
    return context.json(
      { error: `inngest-local has no ${context.req.method} ${context.req.path}`, status: 404 },
      404,
    );
  });
  app.onError((error, context) => {
    standIn.logger.error({ error, path: context.req.path }, "a request failed");
    return context.json({ error: "Internal error", status: 500 }, 500);
  });

  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MS },
    getRequestListener(app.fetch, { hostname: settings.host }),
  );
  // Senders keep what was not answered and send it again: nobody is waited for.
  return listen(server, { host: settings.host, port: settings.port, graceMs: 0 });
}
