import type { Broker } from "../broker.ts";
import { type AppClient, AppUnreachableError } from "../http/app-client.ts";
import { finishRun } from "../lifecycle/end-run.ts";
import type { DueJob } from "../queue/due-jobs.ts";
import type { FunctionConfig } from "../registration/function-config.ts";
import { buildCallRequest } from "./call-request.ts";
import { persist } from "./persist.ts";
import { type ParsedResponse, readResponse } from "./read-response.ts";
import { endingRun, settleCall } from "./settle-call.ts";

/** HTTP client for calls, and listeners for the state of the app. */
export interface CallContext {
  readonly client: AppClient;
  /** Aborts calls. */
  readonly signal: AbortSignal;
  readonly onAnswered: (url: string) => void;
  readonly onRefused: (url: string) => void;
  /** Called when the app rejected our signature. */
  readonly onUnauthorized: (url: string) => void;
}

/**
 * Calls a function and stores the result. When the app refuses the connection or the signature, the job stays queued
 * unchanged.
 *
 * @throws when the call was aborted or its result could not be stored; the job then stays queued unchanged, too
 */
export async function makeCall(
  broker: Broker,
  calling: CallContext,
  job: DueJob,
  config: FunctionConfig,
  bodies: ReadonlyMap<string, string>,
): Promise<void> {
  const startedAt = broker.clock.now();
  const body = bodies.get(job.eventId);
  if (body === undefined) {
    const error = { name: "Error", message: "The run's event is no longer stored" };
    return finishRun(broker, endingRun(job, startedAt), { status: "failed", error });
  }
  const answer = await callApp(broker, calling, job, config, body);
  if (answer === undefined) return;
  await persist(() => settleCall(broker, job, config, answer, startedAt), broker.logger, calling.signal);
}

/** @returns undefined when the app refused the connection or our signature, and so has not started working */
async function callApp(
  { clock }: Broker,
  { client, signal, onAnswered, onRefused, onUnauthorized }: CallContext,
  job: DueJob,
  config: FunctionConfig,
  event: string,
): Promise<ParsedResponse | undefined> {
  const request = buildCallRequest(job, config, event);
  try {
    const response = await client.send("POST", request.url, request.headers, request.body, signal);
    if (response.status === 401 && !response.isAuthentic) {
      onUnauthorized(config.url);
      return undefined;
    }
    onAnswered(config.url);
    return readResponse(response, clock.wall());
  } catch (error) {
    if (!(error instanceof AppUnreachableError) || signal.aborted) throw error;
    if (error.refused) {
      onRefused(config.url);
      return undefined;
    }
    const reported = { name: "Error", message: error.message };
    return { kind: "error", error: reported, final: false, retryAfter: undefined };
  }
}
