import { createSynapClient } from "@synap/client";

/** The status of an installation: the part that says how far it got. */
export interface Progress {
  readonly events: { readonly stored: number };
  readonly handlers: readonly { readonly name: string; readonly lag: number }[];
}

const ANSWER_MS = 10_000;

/** Asks an API how far its installation got. Undefined when it does not answer. */
export async function readProgress(apiUrl: string): Promise<Progress | undefined> {
  const client = createSynapClient({ url: apiUrl, timeoutMs: ANSWER_MS, retry: { attempts: 1 } });
  return client.status().catch(() => undefined);
}

/** True when no handler has an event left to handle. */
export function isCaughtUp({ handlers }: Progress): boolean {
  return handlers.every(({ lag }) => lag === 0);
}
