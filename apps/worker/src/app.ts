import type { Database } from "@synap/database";
import { Hono } from "hono";
import type { Inngest, InngestFunction } from "inngest";
import { serve } from "inngest/hono";

/** What the worker's routes need. */
export interface WorkerAppParts {
  readonly inngest: Inngest.Any;
  readonly functions: readonly InngestFunction.Any[];
  readonly database: Pick<Database, "query">;
  /** The origin under which Inngest reaches this worker, if that is not the request's own. */
  readonly serveOrigin?: string;
}

/**
 * The worker's HTTP routes: Inngest's at `/api/inngest`, `/healthz` (the process is up), `/readyz` (the store answers,
 * and Inngest knows the functions where the worker has to tell it, that is when `serveOrigin` is set).
 */
export function createWorkerApp({ inngest, functions, database, serveOrigin }: WorkerAppParts): Hono {
  const app = new Hono();
  const handler = serve({
    client: inngest,
    functions,
    ...(serveOrigin === undefined ? {} : { serveOrigin }),
  });
  let isRegistered = false;
  app.on(["GET", "PUT", "POST"], "/api/inngest", async (context) => {
    const response = await handler(context);
    // Whoever asked for it, the worker itself or Inngest: a PUT that went well has told Inngest the functions.
    if (context.req.method === "PUT" && response.ok) isRegistered = true;
    return response;
  });
  app.get("/healthz", (context) => context.json({ status: "ok" }));
  app.get("/readyz", async (context) => {
    const unavailable = (reason: string) => context.json({ status: "unavailable", reason }, 503);
    if (serveOrigin !== undefined && !isRegistered) {
      return unavailable("Inngest does not know the functions yet: the worker has not registered");
    }
    try {
      await database.query("SELECT 1");
    } catch {
      return unavailable("the database does not answer");
    }
    return context.json({ status: "ready" });
  });
  return app;
}
