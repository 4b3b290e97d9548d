import type { JsonObject } from "@synap/types";

/** An event of a chaos run, complete, so that it is the same event however often it is sent. */
export interface SentEvent {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly idempotencyKey?: string;
  readonly data: JsonObject;
}

/** The position and version that the API named in its response to a command. */
export interface StoredPosition {
  readonly position: number;
  readonly streamVersion: number;
}

/**
 * Answer of the API for one event, over all attempts. `accepted`: a 2xx at least once. `refused`: a definite refusal
 * and never an attempt without a response. `unknown`: anything else, so the event may be stored or not.
 */
export type EventOutcome = "accepted" | "refused" | "unknown";

/** Sends an event's request once more, exactly as before. Resolves when the responses are in the ledger. */
export type Resend = () => Promise<void>;

export interface LedgerEntry {
  readonly event: SentEvent;
  readonly outcome: EventOutcome;
  /** True when the last attempt had no response and another may have one. A refusal would be repeated. */
  readonly isUnanswered: boolean;
  readonly stored?: StoredPosition;
  readonly resend: Resend;
}

interface MutableEntry {
  readonly event: SentEvent;
  readonly resend: Resend;
  wasUnanswered: boolean;
  isUnanswered: boolean;
  outcome: EventOutcome;
  stored?: StoredPosition;
}

/** Everything that was sent in a run, and everything that was answered: what the store is compared with at the end. */
export class Ledger {
  readonly #entries = new Map<string, MutableEntry>();
  #accepted = 0;

  get size(): number {
    return this.#entries.size;
  }

  get acceptedCount(): number {
    return this.#accepted;
  }

  entries(): IterableIterator<LedgerEntry> {
    return this.#entries.values();
  }

  /** Records an event before its first attempt. */
  sending(event: SentEvent, resend: Resend): void {
    this.#entries.set(event.id, {
      event,
      resend,
      wasUnanswered: false,
      isUnanswered: true,
      outcome: "unknown",
    });
  }

  accepted(id: string, stored?: StoredPosition): void {
    const entry = this.#entry(id);
    if (entry.outcome !== "accepted") this.#accepted += 1;
    entry.outcome = "accepted";
    entry.isUnanswered = false;
    if (stored !== undefined) entry.stored = stored;
  }

  refused(id: string): void {
    const entry = this.#entry(id);
    entry.isUnanswered = false;
    if (entry.outcome === "unknown" && !entry.wasUnanswered) entry.outcome = "refused";
  }

  /** No response, or one that leaves open what became of the event (5xx). */
  unanswered(id: string): void {
    const entry = this.#entry(id);
    entry.wasUnanswered = true;
    entry.isUnanswered = entry.outcome === "unknown";
  }

  #entry(id: string): MutableEntry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new Error(`Event ${id} was answered but never recorded as sent.`);
    return entry;
  }
}
