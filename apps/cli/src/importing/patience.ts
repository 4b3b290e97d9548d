import { setTimeout as sleep } from "node:timers/promises";
import { ImportError } from "./import-error.ts";

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 10_000;

/** Retries of one batch while the API is away or busy. */
export class Patience {
  readonly #options: PatienceOptions;
  readonly #endsAt: number;
  #attempt = 0;

  constructor(options: PatienceOptions) {
    this.#options = options;
    this.#endsAt = performance.now() + options.patienceMs;
  }

  /**
   * Waits before the next attempt: for the API's Retry-After, otherwise with exponential backoff.
   *
   * @throws ImportError `API_UNREACHABLE` when the wait would exceed the time for retries
   */
  async wait(reason: string, askedMs?: number, cause?: unknown): Promise<void> {
    const { url, signal, onWait } = this.#options;
    signal.throwIfAborted();
    const backoff = Math.min(FIRST_WAIT_MS * 2 ** this.#attempt, LONGEST_WAIT_MS);
    this.#attempt += 1;
    const ms = askedMs ?? backoff * (0.5 + Math.random() / 2);
    if (performance.now() + ms > this.#endsAt) {
      throw new ImportError("API_UNREACHABLE", `The API at ${url} does not accept events: ${reason}`, {
        cause,
      });
    }
    onWait?.(reason, ms);
    await sleep(ms, undefined, { signal });
  }
}

/** Limits on the retries. */
export interface PatienceOptions {
  /** The API's base URL, for the message. */
  readonly url: string;
  /** Longest time to retry one batch, in milliseconds. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  /** Called when a batch has to wait, with the reason. */
  readonly onWait?: (reason: string, ms: number) => void;
}
