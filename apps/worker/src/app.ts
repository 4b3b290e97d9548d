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

/** The worker's HTTP routes: Inngest's at `/api/inngest`, `/healthz` (the process is up), `/readyz` (so is the store). */
export function createWorkerApp({ inngest, functions, database, serveOrigin }: WorkerAppParts): Hono {
  const app = new Hono();
  const handler = serve({
    client: inngest,
    functions,
    ...(serveOrigin === undefined ? {} : { serveOrigin }),
  });
  app.on(["GET", "PUT", "POST"], "/api/inngest", (context) => handler(context));
  app.get("/healthz", (context) => context.json({ status: "ok" }));
  app.get("/readyz", async (context) => {
    try {
      await database.query("SELECT 1");
      return context.json({ status: "ready" });
    } catch {
      return context.json({ status: "unavailable", reason: "the database does not answer" }, 503);
    }
  });
  return app;
}
