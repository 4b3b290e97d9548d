import { checkMoment, checkPast, eventsInForce, type KnownMoment, type StoredEvent } from "@synap/types";
import { AsOfTooLongError } from "../projections/projection-errors.ts";
import type { AggregateMoment } from "./aggregate-repository.ts";

/** Number of events of an aggregate that the API reads at most, to know it as it was known. */
export const MAX_KNOWN_EVENTS = 10_000;

/**
 * Returns what a caller asks of an aggregate as it was known, undefined if he asks for none of it. What was known is by default what is
 * known now, and about the moment at which it was known.
 *
 * @throws InvalidMomentError; MomentInFutureError; RangeError together with a version or with `at`
 */
export function knownMoment({ version, at, knownAt, validAt }: AggregateMoment): KnownMoment | undefined {
  if (knownAt === undefined && validAt === undefined) return undefined;
  if (version !== undefined || at !== undefined) {
    throw new RangeError("Give knownAt and validAt, or version, or at.");
  }
  if (knownAt !== undefined) checkPast("knownAt", knownAt);
  if (validAt !== undefined) checkMoment("validAt", validAt);
  return { knownAt, validAt: validAt ?? knownAt };
}

/**
 * Reads the events of an aggregate that are in force, in the order of validity: see `eventsInForce`.
 *
 * @throws AsOfTooLongError when it has more than `maxEvents`
 */
export async function readKnownEvents(
  events: AsyncIterable<StoredEvent>,
  moment: KnownMoment,
  {
    name,
    maxEvents = Number.POSITIVE_INFINITY,
  }: { readonly name: string; readonly maxEvents?: number | undefined },
): Promise<readonly StoredEvent[]> {
  const read: StoredEvent[] = [];
  for await (const event of events) {
    if (read.push(event) > maxEvents) throw new AsOfTooLongError(name, maxEvents, "aggregate");
  }
  return eventsInForce(read, moment);
}

/** The version of an aggregate of which these events are known: the highest among them, 0 without any. */
export function knownVersion(events: readonly StoredEvent[]): number {
  return events.reduce((highest, { streamVersion }) => Math.max(highest, streamVersion), 0);
}
