import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import type { SynapEvent } from "@synap/types";
import type { EnvelopeSummary, PackedEnvelope } from "@synap/types/internal";

const compress = promisify(gzip);

/** Number of event types in a summary. */
const MAX_SUMMARY_TYPES = 20;

/**
 * Level 1: level 6 takes two to six times as long for a fifth fewer bytes. Each chunk of output costs a
 * change of threads; most envelopes are one or two.
 */
const GZIP = { level: constants.Z_BEST_SPEED, chunkSize: 64 * 1024 };

/**
 * Compresses events in zlib's thread pool, so that the event loop is free meanwhile.
 *
 * @param json the events as a JSON array
 * @throws RangeError when there are no events
 */
export async function packEvents(
  events: readonly Pick<SynapEvent, "id" | "type" | "timestamp">[],
  json: string,
): Promise<PackedEnvelope> {
  const summary = summariseEvents(events);
  const compressed = await compress(json, GZIP);
  return { ...summary, gzip: compressed.toString("base64") };
}

/**
 * Describes the events of an envelope for people.
 *
 * @throws RangeError when there are no events
 */
export function summariseEvents(
  events: readonly Pick<SynapEvent, "id" | "type" | "timestamp">[],
): EnvelopeSummary {
  const [first] = events;
  const last = events.at(-1);
  if (first === undefined || last === undefined) throw new RangeError("An envelope has at least one event.");
  const counts = new Map<string, number>();
  let { timestamp: from, timestamp: to } = first;
  for (const { type, timestamp } of events) {
    counts.set(type, (counts.get(type) ?? 0) + 1);
    // All timestamps have one form, in which text order is time order.
    if (timestamp < from) from = timestamp;
    if (timestamp > to) to = timestamp;
  }
  const frequent = [...counts].sort(([, one], [, other]) => other - one).slice(0, MAX_SUMMARY_TYPES);
  return {
    count: events.length,
    types: Object.fromEntries(frequent),
    firstId: first.id,
    lastId: last.id,
    from,
    to,
  };
}
