import type { StoredEvent } from "../src/index.ts";

/** The line of one original, until something else is recorded. */
interface Entry {
  readonly event: StoredEvent;
  /** False after a retraction. */
  readonly stands: boolean;
}

/**
 * A naive bitemporal model: a ledger with one line for each original, replayed in the order in which events were recorded. It has nothing in
 * common with the code that it is compared with.
 *
 * @returns the ids of the events that were in force, as known at one moment, about another, in the order of validity
 */
export function naivelyInForce(
  events: readonly StoredEvent[],
  { knownAt, validAt }: { readonly knownAt?: Date | undefined; readonly validAt?: Date | undefined },
): string[] {
  const ledger = new Map<string, Entry>();
  for (const event of [...events].sort((one, other) => one.position - other.position)) {
    if (knownAt !== undefined && event.recordedAt > knownAt.toISOString()) continue;
    const { corrects, retracts } = event.metadata ?? {};
    const original =
      typeof corrects === "string" ? corrects : typeof retracts === "string" ? retracts : event.id;
    ledger.set(original, { event, stands: typeof retracts !== "string" });
  }
  // A Map keeps the place of a key that is set again: that of the original.
  const lines = [...ledger.values()].filter(({ stands }) => stands).map(({ event }) => event);
  const begins = ({ validFrom, timestamp }: StoredEvent) => validFrom ?? timestamp;
  const holds = (event: StoredEvent, at: string) =>
    begins(event) <= at && !(event.validTo !== undefined && event.validTo <= at);
  return lines
    .filter((event) => validAt === undefined || holds(event, validAt.toISOString()))
    .map((event, place) => ({ event, place }))
    .sort((one, other) => begins(one.event).localeCompare(begins(other.event)) || one.place - other.place)
    .map(({ event }) => event.id);
}
