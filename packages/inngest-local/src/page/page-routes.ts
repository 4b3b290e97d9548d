import { pageHeaders } from "@synap/http";
import type { Context, Hono } from "hono";
import type { Broker } from "../broker.ts";
import { countQueued, readRecentRuns } from "../queue/runs.ts";
import type { AppState } from "../registration/app-poller.ts";
import type { SigningKey } from "../signing/signing-key.ts";
import { PAGE_STYLE, renderPage } from "./render-page.ts";

const RUNS_SHOWN = 50;
const HEADERS = { ...pageHeaders([PAGE_STYLE]), "cache-control": "no-store" };

/**
 * `GET /`: page with the registered functions and the recent runs. What functions returned or threw may be personal data,
 * so with a signing key it is shown at `/results` only, with the key as the password.
 */
export function addPageRoutes(
  app: Hono,
  broker: Broker,
  view: {
    readonly signingKey: SigningKey | undefined;
    readonly calledRuns: () => Set<string>;
    readonly appStates: () => readonly { readonly url: string; readonly state: AppState }[];
  },
): void {
  const show = async (context: Context, showsResults: boolean) => {
    const runs = await readRecentRuns(broker.database, RUNS_SHOWN);
    const queued = await countQueued(broker.database);
    const html = renderPage({
      apps: broker.registry.apps(),
      appStates: view.appStates(),
      queued,
      runs,
      showsResults,
      calledRuns: view.calledRuns(),
      unmatched: broker.kept.unmatched(),
      failingHandlers: broker.kept.counts().failingHandlers,
      now: broker.clock.now(),
      aheadOfWall: broker.clock.aheadOfWall(),
    });
    return context.html(html, 200, HEADERS);
  };
  app.get("/", (context) => show(context, view.signingKey === undefined));
  app.get("/results", async (context) => {
    const { signingKey } = view;
    const authorization = context.req.header("authorization");
    if (signingKey !== undefined && !signingKey.isPasswordOf(authorization)) {
      context.header(
        "www-authenticate",
        'Basic realm="inngest-local: the password is the signing key", charset="UTF-8"',
      );
      return context.text("The password is the signing key; the user's name does not matter.", 401, HEADERS);
    }
    return show(context, true);
  });
}
