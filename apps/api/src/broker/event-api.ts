import { setTimeout as sleep } from "node:timers/promises";
import { type Backoff, backoffDelay } from "@synap/database/internal";
import type { Inngest } from "inngest";
import { createJsonPoster, type Posting } from "./http-client.ts";

/** The parts of an Inngest client that sending needs: the address, the key and the headers. */
export type EventDestination = Pick<Inngest.Any, "mode" | "eventBaseUrl" | "eventKey" | "headers">;

/** Inngest events to be sent. */
export interface InngestBatch {
  /** The JSON text of an array of Inngest events. */
  readonly json: string;
  /** Ten random bytes in base64, from which, with the time, the server derives the ids of the events. */
  readonly entropy: string;
}

/** Sends Inngest events. */
export interface EventApi {
  /**
   * Resolves when the broker has accepted all events.
   * @throws Error when that is unknown after all attempts, or after `deadlineMs`
   */
  send(batch: InngestBatch, deadlineMs: number): Promise<void>;
  /** Closes idle connections. */
  close(): void;
}

/** Thrown when the broker did not confirm the events: it refused, failed, or did not answer in time. */
export class EventApiError extends Error {
  override readonly name = "EventApiError";
  readonly code = "EVENTS_NOT_CONFIRMED";
}

/** Attempts and delays of the SDK. Each delay gets up to `firstMs` of jitter. */
const ATTEMPTS = 5;
const BACKOFF: Backoff = { firstMs: 100, maxMs: 1_600 };

/** Key that the SDK sends to a development server, which accepts any. */
const NO_KEY = "NO_EVENT_KEY_SET";

/**
 * Creates a client of Inngest's event API (`POST /e/<key>`), compatible with the SDK's `send`: the same headers, the same
 * seed, from which the server derives the same ids for every attempt, and five attempts. The address and the key are
 * those of the Inngest client.
 *
 * `send` itself is not used. It serialises objects, and the events are already JSON; its overhead and `fetch` would be most
 * of the cost of a single event (docs/decisions/0011).
 */
export function createEventApi(destination: EventDestination): EventApi {
  const { eventKey = NO_KEY, eventBaseUrl, headers } = destination;
  const poster = createJsonPoster(new URL(`e/${eventKey}`, eventBaseUrl), headers);

  async function attempt({ response }: Posting): Promise<void> {
    const { status, body } = await response;
    const reply = readResponse(body);
    if (reply.status === 200 && reply.error === undefined) return;
    throw new EventApiError(`Inngest answered ${status}: ${reply.error ?? body.slice(0, 200)}`);
  }

  return {
    close: () => poster.close(),
    send: async ({ json, entropy }, deadlineMs) => {
      if (destination.mode === "cloud" && destination.eventKey === undefined) {
        throw new EventApiError("INNGEST_EVENT_KEY is not set, so Inngest would not accept the events");
      }
      const seed = { "x-inngest-event-id-seed": `${Date.now()},${entropy}` };
      let posting: Posting | undefined;
      const end = performance.now() + deadlineMs;
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        posting?.cancel(new EventApiError("the response took too long"));
      }, deadlineMs);
      try {
        for (let number = 1; ; number += 1) {
          posting = poster.post(json, seed);
          const cause = await attempt(posting).then(() => undefined, asError);
          if (cause === undefined) return;
          if (!isLate && number === ATTEMPTS) throw cause;
          if (!isLate) await sleep(Math.min(waitAfter(number), end - performance.now()));
          if (isLate) throw new EventApiError(`Inngest did not confirm within ${deadlineMs} ms`, { cause });
        }
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function waitAfter(attempt: number): number {
  return backoffDelay(attempt, BACKOFF) + Math.random() * BACKOFF.firstMs;
}

function asError(fault: unknown): Error {
  return fault instanceof Error ? fault : new Error(String(fault));
}

/** Parses the body of a response, which confirms or refuses the events. A proxy's page does neither. */
function readResponse(body: string): { readonly status?: unknown; readonly error?: string } {
  try {
    const response: unknown = JSON.parse(body);
    if (typeof response !== "object" || response === null) return {};
    const status: unknown = Reflect.get(response, "status");
    const error: unknown = Reflect.get(response, "error");
    return { status, ...(typeof error === "string" && error !== "" && { error }) };
  } catch {
    return {};
  }
}
