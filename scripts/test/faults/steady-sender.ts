import { setTimeout as sleep } from "node:timers/promises";
import type { PublishedEvent } from "./published-events.ts";

/** Counts of the answers to a sender in one phase. */
export interface PhaseTally {
  requests: number;
  accepted: number;
  unavailable: number;
  /** Any other answer, none at all included: there should be none. */
  other: number;
  slowestMs: number;
}

/** Sends one event after the other, at a steady pace and without waiting for answers, and remembers every response. */
export class SteadySender {
  readonly accepted: PublishedEvent[] = [];
  readonly others = new Map<string, number>();
  /** Number of consecutive acceptances up to now. */
  acceptedInARow = 0;
  readonly #phases = new Map<string, PhaseTally>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #url: string;
  #phase = "";
  #isStopped = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(apiUrl: string) {
    this.#url = `${apiUrl}/api/v1/events`;
  }

  /** @param everyMs the pause between two events */
  start(events: Iterable<PublishedEvent>, everyMs: number): void {
    this.#loop = (async () => {
      for (const event of events) {
        if (this.#isStopped) return;
        const sent = this.#send(event);
        this.#underWay.add(sent);
        void sent.finally(() => this.#underWay.delete(sent));
        await sleep(everyMs);
      }
    })();
  }

  /** Begins a phase, into which all further sends count. */
  begin(phase: string): void {
    this.#phase = phase;
    this.#phases.set(phase, { requests: 0, accepted: 0, unavailable: 0, other: 0, slowestMs: 0 });
  }

  async stop(): Promise<Record<string, PhaseTally>> {
    this.#isStopped = true;
    await this.#loop;
    await Promise.all(this.#underWay);
    return Object.fromEntries(this.#phases);
  }

  async #send(event: PublishedEvent): Promise<void> {
    const tally = this.#phases.get(this.#phase);
    if (tally === undefined) return;
    tally.requests += 1;
    const from = performance.now();
    const answer = await this.#post(event);
    tally.slowestMs = Math.max(tally.slowestMs, Math.round(performance.now() - from));
    if (answer === "202" || answer === "200") {
      this.accepted.push(event);
      tally.accepted += 1;
      this.acceptedInARow += 1;
      return;
    }
    this.acceptedInARow = 0;
    if (answer === "503 with Retry-After") tally.unavailable += 1;
    else {
      tally.other += 1;
      this.others.set(answer, (this.others.get(answer) ?? 0) + 1);
    }
  }

  /**
   * One raw request for one event: the client would send it again after a 503, and several events in one request, and it is
   * the API's answers that are counted here.
   */
  async #post(event: PublishedEvent): Promise<string> {
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(event),
        signal: AbortSignal.timeout(30_000),
      });
      const text = await response.text();
      if (response.ok) return String(response.status);
      const retryAfter = response.headers.has("retry-after") ? " with Retry-After" : `: ${text}`;
      return `${response.status}${retryAfter}`;
    } catch (error) {
      return String(error);
    }
  }
}
