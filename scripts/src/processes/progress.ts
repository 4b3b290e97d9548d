import { createSynapClient } from "@synap/client";

/** The progress of an installation. */
export interface Progress {
  /** Events in the store. */
  readonly stored: number;
  /** Events in the store that every asynchronous handler and every projection has passed. */
  readonly projected: number;
  /** Events that a handler has not passed yet, by its name. */
  readonly lags: Readonly<Record<string, number>>;
}

const ANSWER_MS = 10_000;

/** Reads the progress of an installation from its public status, once. Undefined when the API does not answer. */
export async function readProgress(apiUrl: string): Promise<Progress | undefined> {
  const client = createSynapClient({ url: apiUrl, timeoutMs: ANSWER_MS, retry: { attempts: 1 } });
  const status = await client.status().catch(() => undefined);
  if (status === undefined) return undefined;
  const { stored } = status.events;
  const lags = Object.fromEntries(status.handlers.map(({ name, lag }) => [name, lag]));
  return { stored, projected: stored - Math.max(0, ...Object.values(lags)), lags };
}

/** True if no handler has an event left to process. */
export function isCaughtUp({ stored, projected }: Progress): boolean {
  return projected === stored;
}
