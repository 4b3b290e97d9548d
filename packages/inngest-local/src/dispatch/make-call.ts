import { finishRun } from "../lifecycle/end-run.ts";
import type { DueJob } from "../queue/due-jobs.ts";
import type { FunctionConfig } from "../registration/function-config.ts";
import type { StandIn } from "../stand-in.ts";
import { type AppClient, AppUnreachableError } from "./app-client.ts";
import { callRequest } from "./call-request.ts";
import { persist } from "./persist.ts";
import { type Answer, readAnswer } from "./read-answer.ts";
import { endingRun, settleCall } from "./settle-call.ts";

/** The client for calls, and the listeners for the app's state. */
export interface Calling {
  readonly client: AppClient;
  /** Raised when calls are to be given up. */
  readonly signal: AbortSignal;
  readonly onAnswered: (url: string) => void;
  readonly onRefused: (url: string) => void;
  /** The app did not take our signature. */
  readonly onUnauthorized: (url: string) => void;
}

/**
 * Calls a function and writes what comes of it. When the app refuses the connection or the signature nothing is written:
 * the job stays as it is.
 *
 * @throws when the call was given up, or its result could not be stored; the job then stays as it is, too
 */
export async function makeCall(
  standIn: StandIn,
  calling: Calling,
  job: DueJob,
  config: FunctionConfig,
  bodies: ReadonlyMap<string, string>,
): Promise<void> {
  const startedAt = standIn.clock.now();
  const body = bodies.get(job.eventId);
  if (body === undefined) {
    const error = { name: "Error", message: "The run's event is no longer stored" };
    return finishRun(standIn, endingRun(job, startedAt), { status: "failed", error });
  }
  const answer = await ask(standIn, calling, job, config, body);
  if (answer === undefined) return;
  await persist(() => settleCall(standIn, job, config, answer, startedAt), standIn.logger, calling.signal);
}

/** @returns undefined when the app refused the connection or our signature, and so has not begun to work */
async function ask(
  { clock }: StandIn,
  { client, signal, onAnswered, onRefused, onUnauthorized }: Calling,
  job: DueJob,
  config: FunctionConfig,
  event: string,
): Promise<Answer | undefined> {
  const request = callRequest(job, config, event);
  try {
    const response = await client.send("POST", request.url, request.headers, request.body, signal);
    if (response.status === 401 && !response.isAuthentic) {
      onUnauthorized(config.url);
      return undefined;
    }
    onAnswered(config.url);
    return readAnswer(response, clock.wall());
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
