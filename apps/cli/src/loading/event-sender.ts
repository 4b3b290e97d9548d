import {
  type CatalogueTypes,
  createSynapClient,
  type SynapClient,
  SynapProblem,
  SynapResponseError,
  SynapUnreachableError,
} from "@synap/client";
import { connectionFault } from "./connection-fault.ts";
import type { EventLine, RejectedLine } from "./event-line.ts";
import { LoadError } from "./load-error.ts";

/** Destination of the events, and the limits on retries. */
export interface EventSenderOptions {
  /** The API's base URL. */
  readonly url: string;
  /** Send the events as a backfill; needs the scope `backfill`. */
  readonly backfill: boolean;
  readonly token?: string;
  /** Longest time to retry one batch, in milliseconds. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  /** Called with the reason when a batch has to wait. */
  readonly onWait?: (reason: string, ms: number) => void;
}

/** Outcomes of the events of one batch. */
export interface SentEvents {
  accepted: number;
  duplicate: number;
  rejected: RejectedLine[];
}

/** Sends one batch of events. */
export type EventSender = (events: readonly EventLine[]) => Promise<SentEvents>;

const REQUEST_TIMEOUT_MS = 60_000;

/**
 * Creates a sender of batches, which returns the outcome of each event. It retries while the API is unavailable (no
 * connection, 429, 5xx) after the requested delay. A batch refused as a whole is bisected down to the refused event.
 *
 * The sender throws LoadError `API_UNREACHABLE` when the time for retries ran out, `NOT_ALLOWED`, `NOT_SYNAP`.
 */
export function createEventSender(options: EventSenderOptions): EventSender {
  const { url, token, patienceMs, onWait } = options;
  const api = createSynapClient<CatalogueTypes>({
    url,
    ...(token !== undefined && { token }),
    timeoutMs: REQUEST_TIMEOUT_MS,
    retry: {
      attempts: Number.POSITIVE_INFINITY,
      patienceMs,
      onRetry: (fault, ms) => onWait?.(reasonOf(fault), ms),
    },
  });
  return async (events) => {
    const sent: SentEvents = { accepted: 0, duplicate: 0, rejected: [] };
    await sendInto(sent, events, api, options);
    return sent;
  };
}

async function sendInto(
  sent: SentEvents,
  events: readonly EventLine[],
  api: Pick<SynapClient<CatalogueTypes>, "publishJson">,
  options: EventSenderOptions,
): Promise<void> {
  const [first, ...others] = events;
  if (first === undefined) return;
  const { signal, backfill } = options;
  const lines = events.map(({ json }) => json);
  const results = await api.publishJson(lines, { signal, backfill }).catch((fault: unknown) => {
    signal.throwIfAborted();
    return refusalOf(fault, options);
  });
  if ("reason" in results) {
    if (others.length === 0) {
      const { number, original } = first;
      sent.rejected.push({ kind: "rejected", number, path: "", ...results, original });
      return;
    }
    const middle = Math.ceil(events.length / 2);
    await sendInto(sent, events.slice(0, middle), api, options);
    await sendInto(sent, events.slice(middle), api, options);
    return;
  }
  for (const [index, { number, original }] of events.entries()) {
    const result = results[index];
    if (result?.status === "rejected") {
      const { path, code, reason } = result;
      sent.rejected.push({ kind: "rejected", number, path, code, reason, original });
    } else if (result !== undefined) sent[result.status] += 1;
  }
}

/** Reason for refusing a whole request, when one of its events may be the cause. @throws LoadError when none can be */
function refusalOf(fault: unknown, options: EventSenderOptions): { code: string; reason: string } {
  const { url, backfill } = options;
  if (!(fault instanceof SynapProblem || fault instanceof SynapResponseError)) {
    if (!(fault instanceof SynapUnreachableError)) throw fault;
    throw outOfTime(fault, url);
  }
  const { status } = fault instanceof SynapProblem ? fault.problem : fault;
  const reason = fault instanceof SynapProblem ? fault.problem.detail : `the API answered ${status}`;
  if (status === 401 || status === 403) {
    const scopes = backfill ? "the scopes publish and backfill" : "the scope publish";
    const cure = `\nGive an API key with ${scopes}: --token or SYNAP_TOKEN.`;
    throw new LoadError("NOT_ALLOWED", `The API at ${url} does not allow this. ${reason}${cure}`, {
      cause: fault,
    });
  }
  if (status < 400 || status === 404 || status === 405) {
    throw new LoadError("NOT_SYNAP", `${url} is not a Synap API (status ${status}). Check the URL.`, {
      cause: fault,
    });
  }
  if (status >= 500 || status === 429 || status === 408) throw outOfTime(fault, url);
  return { code: fault instanceof SynapProblem ? fault.code : `http-${status}`, reason };
}

function outOfTime(fault: unknown, url: string): LoadError {
  return new LoadError("API_UNREACHABLE", `The API at ${url} can't take events: ${reasonOf(fault)}`, {
    cause: fault,
  });
}

/** Reason for a failed attempt, for the person at the terminal. */
function reasonOf(fault: unknown): string {
  if (fault instanceof SynapProblem) return fault.problem.title;
  if (fault instanceof SynapResponseError) return `it answered ${fault.status}`;
  return connectionFault(fault instanceof SynapUnreachableError ? fault.cause : fault);
}
