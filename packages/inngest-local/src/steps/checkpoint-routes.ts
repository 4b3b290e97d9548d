import type { Hono } from "hono";
import type { SigningKey } from "../signing/signing-key.ts";
import type { StandIn } from "../stand-in.ts";
import { type CheckpointOutcome, saveCheckpoint } from "./checkpoint.ts";

const STATUS: Readonly<Record<Extract<CheckpointOutcome, { saved: false }>["reason"], 400 | 413>> = {
  "unknown-run": 400,
  "not-a-step": 400,
  "too-large": 413,
};

/** `POST /v1/checkpoint/:runId/async`: an app saves finished steps while the call goes on. */
export function addCheckpointRoutes(app: Hono, standIn: StandIn, signingKey: SigningKey | undefined): void {
  app.post("/v1/checkpoint/:runId/async", async (context) => {
    if (signingKey && !signingKey.admits(context.req.header("authorization"))) {
      return context.text("Authentication failed", 401);
    }
    let body: unknown;
    try {
      body = await context.req.json();
    } catch {
      return context.json({ error: "The body is not JSON" }, 400);
    }
    const outcome = await saveCheckpoint(standIn, context.req.param("runId"), body);
    if (!outcome.saved) return context.json({ error: outcome.message }, STATUS[outcome.reason]);
    return context.body(null, 200, { "content-type": "application/json", "content-length": "0" });
  });
}
