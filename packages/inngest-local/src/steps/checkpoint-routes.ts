import type { Hono } from "hono";
import type { Broker } from "../broker.ts";
import { readJson } from "../http/read-body.ts";
import type { SigningKey } from "../signing/signing-key.ts";
import { type CheckpointOutcome, saveCheckpoint } from "./checkpoint.ts";

const STATUS: Readonly<Record<Extract<CheckpointOutcome, { saved: false }>["reason"], 400 | 413>> = {
  "unknown-run": 400,
  "not-a-step": 400,
  "too-large": 413,
};

/** `POST /v1/checkpoint/:runId/async`: saves finished steps during a call. */
export function addCheckpointRoutes(app: Hono, broker: Broker, signingKey: SigningKey | undefined): void {
  app.post("/v1/checkpoint/:runId/async", async (context) => {
    if (signingKey && !signingKey.admits(context.req.header("authorization"))) {
      return context.text("Authentication failed", 401);
    }
    const reading = readJson(await context.req.text());
    if (!reading.ok) return context.json({ error: reading.reason }, 400);
    const outcome = await saveCheckpoint(broker, context.req.param("runId"), reading.value);
    if (!outcome.saved) return context.json({ error: outcome.message }, STATUS[outcome.reason]);
    return context.body(null, 200, { "content-type": "application/json", "content-length": "0" });
  });
}
