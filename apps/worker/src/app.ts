import type { HttpBindings } from "@hono/node-server";
import type { Database } from "@synap/database";
import { recordFunctionRegistration, storeStatistics } from "@synap/database/internal";
import type { OperatingWarning } from "@synap/handlers/internal";
import {
  type CallerCheck,
  isJsonOrEmpty,
  type JsonBounds,
  jsonFault,
  requestFault,
  SECURITY_HEADERS,
} from "@synap/http";
import {
  connectionGauges,
  createFaultFinder,
  EXPOSITION_CONTENT_TYPE,
  NotReadyError,
  type ProcessMetrics,
  type ReadinessCheck,
  readinessResponse,
  storeGauges,
  writeMetrics,
} from "@synap/service";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Inngest, InngestFunction } from "inngest";
import { serve } from "inngest/hono";
import type { Logger } from "pino";

/** The path of Inngest's functions on the worker. */
export const FUNCTIONS_PATH = "/api/inngest";

/** Dependencies of the worker's routes. */
export interface WorkerDependencies {
  readonly inngest: Inngest.Any;
  readonly functions: readonly InngestFunction.Any[];
  readonly database: Pick<Database, "query" | "failed" | "connections">;
  readonly metrics: ProcessMetrics;
  /** Readiness checks of the worker. */
  readonly readiness: readonly ReadinessCheck[];
  readonly logger: Logger;
  /** Origin at which Inngest calls this worker. */
  readonly serveOrigin: string;
  /** True if the worker registers its functions itself. It is not ready before it has. */
  readonly registersItself: boolean;
  /** Warnings for an operator; the worker still works. */
  readonly warnings: () => Promise<readonly OperatingWarning[]>;
  readonly callerCheck: CallerCheck;
}

/**
 * Creates the worker's HTTP routes:
 *
 * - `/api/inngest`: Inngest's functions.
 * - `/healthz`: the process works.
 * - `/readyz`: the database answers, accepts writes and has every migration, and Inngest knows the functions if the worker
 *   registers them. Also lists warnings for an operator, which don't affect readiness.
 * - `/metrics`: for Prometheus.
 *
 * The address of the functions is always `serveOrigin`. If it came from the Host header, the sender of a PUT could redirect
 * the events. With a signing key, every request to the functions must be signed, including PUT.
 */
export function createWorkerApp(dependencies: WorkerDependencies): Hono<{ Bindings: HttpBindings }> {
  const {
    inngest,
    functions,
    database,
    serveOrigin,
    registersItself,
    callerCheck,
    warnings,
    readiness,
    logger,
    metrics,
  } = dependencies;
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use(async (context, next) => {
    const { incoming } = context.env;
    const unsound = requestFault(incoming);
    const fault = callerCheck(incoming);
    if (unsound !== undefined) context.res = context.json({ error: unsound.detail }, unsound.status);
    else if (fault !== undefined) context.res = context.json({ error: fault.detail }, 403);
    else if (!isJsonOrEmpty(incoming)) context.res = context.json({ error: NOT_JSON }, 415);
    else await next();
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.header(name, value);
  });
  app.use(
    bodyLimit({
      maxSize: MAX_CALL_BYTES,
      onError: (context) =>
        context.json({ error: `The body may have at most ${MAX_CALL_BYTES} bytes.` }, 413),
    }),
  );
  const handler = serve({
    client: inngest,
    functions,
    serveOrigin,
    servePath: FUNCTIONS_PATH,
    enableUnauthedSync: false,
  });
  let isRegistered = false;
  app.on(["GET", "PUT", "POST"], FUNCTIONS_PATH, async (context) => {
    if (context.req.method === "POST") {
      // Hono caches the text, so the SDK can read it again.
      const tooMuch = jsonFault(await context.req.text(), CALL_BOUNDS);
      if (tooMuch !== undefined) return context.json({ error: `${tooMuch}.` }, 413);
    }
    const response = await handler(context);
    // After a successful PUT Inngest knows the functions, whoever sent it.
    if (context.req.method !== "PUT" || !response.ok) return response;
    try {
      await recordFunctionRegistration(database, inngest.id);
    } catch {
      // The registration will be repeated. APIs accept no events until it is recorded.
      return context.json(
        { error: "The database does not answer, so the registration is not recorded." },
        503,
      );
    }
    isRegistered = true;
    return response;
  });
  let ended: Error | undefined;
  void database.failed.then((error) => {
    ended = error;
  });
  app.get("/healthz", (context) =>
    ended === undefined
      ? context.json({ status: "ok" })
      : context.json({ status: "unavailable", reason: ended.message }, 503),
  );
  const registration: ReadinessCheck = {
    name: "functions",
    check: async () => {
      if (!isRegistered) throw new NotReadyError("not-registered");
    },
  };
  const findFaults = createFaultFinder(registersItself ? [...readiness, registration] : readiness, logger);
  app.get("/readyz", async (context) => {
    const { checks, reasons } = readinessResponse(await findFaults());
    if (reasons.length > 0)
      return context.json({ status: "unavailable", reason: reasons.join(" "), checks }, 503);
    return context.json({ status: "ok", checks, warnings: await warnings() });
  });
  app.get("/metrics", async (context) => {
    try {
      const gauges = [
        ...storeGauges(await storeStatistics(database)),
        ...connectionGauges(database.connections()),
      ];
      const text = writeMetrics(gauges) + (await metrics.write());
      return context.text(text, 200, { "content-type": EXPOSITION_CONTENT_TYPE });
    } catch {
      return context.json({ error: "The database does not answer." }, 503);
    }
  });
  return app;
}

/** Maximum size of a function call: the envelope twice, as `event` and in `events`, and the results of its steps. */
const MAX_CALL_BYTES = 32 * 1024 * 1024;
/** Maximum number of values of a function call: those of two envelopes of 3 MiB, each with a comma, and as many for the steps. */
const CALL_BOUNDS: JsonBounds = { maxDepth: 256, maxValues: 6_400_000 };

const NOT_JSON = "The body must be declared as JSON (Content-Type: application/json).";
