import type { Context, Hono } from "hono";
import type { Broker } from "../broker.ts";
import { readJson } from "../http/read-body.ts";
import type { Logger } from "../options.ts";
import type { SigningKey } from "../signing/signing-key.ts";
import { uuidOf } from "./function-config.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { type RegistrationOutcome, registerApp } from "./register-app.ts";

/** `POST /fn/register`: an app registers its functions. */
export function addRegistrationRoutes(
  app: Hono,
  broker: Broker,
  settings: { signingKey: SigningKey | undefined; refusals: RefusalLog; onRegistered: () => void },
): void {
  const kind = settings.signingKey === undefined ? "dev" : "cloud";
  app.post("/fn/register", async (context) => {
    if (settings.signingKey && !settings.signingKey.admits(context.req.header("authorization"))) {
      settings.refusals.add("the app's signing key is not the server's");
      return context.text("Authentication failed", 401);
    }
    const expected = context.req.header("x-inngest-expected-server-kind");
    if (expected !== undefined && expected !== "" && expected !== kind) {
      settings.refusals.add(`the app expects a server of the kind ${expected}, and this is ${kind}`);
      return answer(context, 400, { error: `Expected server kind ${expected}, got ${kind}` });
    }
    const reading = readJson(await context.req.text());
    if (!reading.ok) return answer(context, 400, { error: reading.reason, data: null, status: 400 });
    const outcome = await registerApp(broker.database, broker.registry, reading.value, broker.clock.now());
    if (!outcome.registered) {
      settings.refusals.add(outcome.reason);
      return answer(context, 400, { error: outcome.reason, data: null, status: 400 });
    }
    logRegistration(broker.logger, outcome);
    settings.onRegistered();
    return answer(context, 200, {
      ok: true,
      modified: outcome.modified,
      sync_id: uuidOf(`sync ${outcome.appName}`),
      app_id: uuidOf(`app ${outcome.appName}`),
    });
  });
}

/** Logs a changed registration, with a warning if functions moved or disappeared. */
function logRegistration(
  logger: Logger,
  { modified, appName, functions, movedFrom, dropped }: Extract<RegistrationOutcome, { registered: true }>,
): void {
  if (!modified) return;
  logger.info({ app: appName, functions }, "functions registered");
  if (movedFrom !== undefined) {
    logger.warn(
      { app: appName, movedFrom },
      "an app registered from another URL: its functions are called there from now on",
    );
  }
  if (dropped.length > 0) {
    logger.warn(
      { app: appName, dropped },
      "an app registered without some of its earlier functions: events no longer start them",
    );
  }
}

function answer(context: Context, status: 200 | 400, body: object) {
  return context.body(`${JSON.stringify(body)}\n`, status, { "content-type": "text/plain; charset=utf-8" });
}
