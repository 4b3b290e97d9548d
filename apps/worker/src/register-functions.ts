import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describeZodIssues } from "@synap/types/internal";
import type { Logger } from "pino";
import { z } from "zod";

/** Signer of requests, where Inngest has a signing key. */
export interface SigningClient {
  readonly mode: "cloud" | "dev";
  readonly signingKey: string | undefined;
}

/** Milliseconds between two registrations of a running worker. */
const REGISTER_INTERVAL_MS = 15_000;
/** Milliseconds before a failed registration is retried. */
const RETRY_INTERVAL_MS = 5_000;

/** Answer of the SDK's handler to a registration that Inngest accepted. */
const registrationAnswer = z.object({ modified: z.boolean() });

/**
 * Makes the worker register its functions, with the request that Inngest's server would send.
 *
 * @param address address at which the worker serves its functions
 * @returns true when Inngest did not know these functions before
 * @throws Error when Inngest can't be reached or refuses
 */
export async function registerFunctions(address: string, client: SigningClient): Promise<boolean> {
  const response = await fetch(address, { method: "PUT", headers: signatureOf("", client, Date.now()) });
  if (!response.ok) throw new Error(`Inngest did not take the functions: ${await response.text()}`);
  const answer = registrationAnswer.safeParse(await response.json(), { reportInput: true });
  if (answer.success) return answer.data.modified;
  throw new Error(`Inngest's answer to the registration: ${describeZodIssues(answer.error.issues, "it")}`);
}

/** Options of {@link keepRegistered}. */
export interface KeepRegisteredOptions {
  /** Registers the functions; see {@link registerFunctions}. */
  readonly register: () => Promise<boolean>;
  readonly logger: Pick<Logger, "info" | "warn">;
  /** Stops the registrations. */
  readonly signal: AbortSignal;
  /** Milliseconds between two registrations. Default: 15,000. */
  readonly intervalMs?: number;
}

/**
 * Registers the functions with Inngest, and again every 15 s until the signal: an Inngest server that lost its data or was
 * replaced takes events but starts nothing for them until it knows the functions.
 */
export async function keepRegistered(options: KeepRegisteredOptions): Promise<void> {
  const { register, logger, signal, intervalMs = REGISTER_INTERVAL_MS } = options;
  let wasRegistered = false;
  let failure: string | undefined;
  while (!signal.aborted) {
    let pause = intervalMs;
    try {
      const isNew = await register();
      if (!wasRegistered || failure !== undefined) logger.info("registered with Inngest");
      if (wasRegistered && isNew) logger.warn(LOST_FUNCTIONS);
      wasRegistered = true;
      failure = undefined;
    } catch (error) {
      pause = Math.min(pause, RETRY_INTERVAL_MS);
      const message = error instanceof Error ? error.message : String(error);
      if (message !== failure) logger.warn(`not registered with Inngest: ${message}`);
      failure = message;
    }
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
}

const LOST_FUNCTIONS =
  "Inngest did not know these functions any more and has taken them again: its data was lost, the server was exchanged, or a " +
  "worker of another release registered. Events that it accepted in between may not be stored: look at the warning " +
  "accepted-events-overdue in the API's /readyz.";

function signatureOf(body: string, { mode, signingKey }: SigningClient, now: number): Record<string, string> {
  if (mode === "dev" || signingKey === undefined) return {};
  const seconds = Math.floor(now / 1_000).toString();
  const secret = signingKey.replace(/^signkey-\w+-/, "");
  const signature = createHmac("sha256", secret).update(body).update(seconds).digest("hex");
  return { "x-inngest-signature": `t=${seconds}&s=${signature}` };
}
