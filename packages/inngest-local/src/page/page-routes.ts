import type { Hono } from "hono";
import { countQueued, readRecentRuns } from "../queue/recent-runs.ts";
import type { AppState } from "../registration/app-poller.ts";
import type { StandIn } from "../stand-in.ts";
import { renderPage } from "./render-page.ts";

const RUNS_SHOWN = 50;

/** `GET /`: what is registered and what runs, for a person to look at. */
export function addPageRoutes(
  app: Hono,
  standIn: StandIn,
  view: {
    readonly calledRuns: () => Set<string>;
    readonly appStates: () => readonly { readonly url: string; readonly state: AppState }[];
    readonly unmatched: ReadonlyMap<string, number>;
  },
): void {
  app.get("/", async (context) => {
    const runs = await readRecentRuns(standIn.database, RUNS_SHOWN);
    const queued = await countQueued(standIn.database);
    const html = renderPage({
      apps: standIn.registry.apps(),
      appStates: view.appStates(),
      queued,
      runs,
      calledRuns: view.calledRuns(),
      unmatched: view.unmatched,
      now: Date.now(),
    });
    return context.html(html, 200, {
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    });
  });
}
