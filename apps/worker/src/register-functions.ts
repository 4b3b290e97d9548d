import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describeZodIssues } from "@synap/types/internal";
import type { Logger } from "pino";
import { z } from "zod";

/** The part of an Inngest client that signs requests. */
export interface SigningClient {
  readonly mode: "cloud" | "dev";
  readonly signingKey: string | undefined;
}

/** Milliseconds between two registrations of a running worker. */
const REGISTER_INTERVAL_MS = 15_000;
/** Milliseconds before a failed registration is retried. */
const RETRY_INTERVAL_MS = 5_000;

/** The SDK's response to a registration that Inngest accepted. */
const registrationResponse = z.object({ modified: z.boolean() });

/**
 * Registers the worker's functions by sending it the same request that an Inngest server would send.
 *
 * @param address address at which the worker serves its functions
 * @returns true if Inngest did not know these functions before
 * @throws Error when Inngest can't be reached or refuses them
 */
export async function registerFunctions(address: string, client: SigningClient): Promise<boolean> {
  const response = await fetch(address, { method: "PUT", headers: signatureOf("", client, Date.now()) });
  if (!response.ok) throw new Error(`Inngest did not accept the functions: ${await response.text()}`);
  const answer = registrationResponse.safeParse(await response.json(), { reportInput: true });
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
 * Registers the functions with Inngest, and repeats that every 15 s until the signal. An Inngest server that lost its data or
 * was replaced accepts events but starts nothing for them until it knows the functions.
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
  "Inngest no longer knew these functions and has registered them again: its data was lost, the server was replaced, or a " +
  "worker of another release registered. Events that it accepted in between may not be stored: check the warning " +
  "accepted-events-overdue in the API's /readyz.";

function signatureOf(body: string, { mode, signingKey }: SigningClient, now: number): Record<string, string> {
  if (mode === "dev" || signingKey === undefined) return {};
  const seconds = Math.floor(now / 1_000).toString();
  const secret = signingKey.replace(/^signkey-\w+-/, "");
  const signature = createHmac("sha256", secret).update(body).update(seconds).digest("hex");
  return { "x-inngest-signature": `t=${seconds}&s=${signature}` };
}
