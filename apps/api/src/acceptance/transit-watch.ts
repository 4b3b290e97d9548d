import type { DuplicateCandidate, SqlSession } from "@synap/database";
import { findInTransit } from "@synap/database/internal";
import { INGEST_HANDLER, type InTransit } from "@synap/handlers/internal";

/** Milliseconds between two events that are watched. */
const SAMPLE_INTERVAL_MS = 10_000;
/** Maximum number of events watched at once. The oldest are kept, because an operator needs to see those. */
const MAX_SAMPLES = 360;

/** A sample of the events accepted by this process, each watched until it is in the log or a dead letter. */
export interface TransitWatch {
  /** Records that an event was accepted. */
  accepted(event: DuplicateCandidate): void;
  /** Watched events that are still between the API and the log; undefined when all have arrived. */
  look(): Promise<InTransit | undefined>;
}

/**
 * Watches one accepted event every 10 s. Detects any cause that keeps accepted events from the log, including those that only
 * the broker knows: lost or paused functions, dropped events, keys of another environment.
 */
export function createTransitWatch(
  session: SqlSession,
  now: () => number = () => performance.now(),
): TransitWatch {
  let samples: (DuplicateCandidate & { readonly acceptedAt: number })[] = [];
  let lastSampleAt = Number.NEGATIVE_INFINITY;
  return {
    accepted: ({ id, createdBy, idempotencyKey }) => {
      const acceptedAt = now();
      if (acceptedAt - lastSampleAt < SAMPLE_INTERVAL_MS || samples.length >= MAX_SAMPLES) return;
      lastSampleAt = acceptedAt;
      samples.push({ id, createdBy, idempotencyKey, acceptedAt });
    },
    look: async () => {
      if (samples.length === 0) return undefined;
      const looked = samples;
      const waiting = new Set(await findInTransit(session, looked, INGEST_HANDLER));
      const arrived = new Set(looked.filter((sample) => !waiting.has(sample)));
      samples = samples.filter((sample) => !arrived.has(sample));
      const [oldest] = looked.filter((sample) => waiting.has(sample));
      if (oldest === undefined) return undefined;
      return { sampled: waiting.size, oldestId: oldest.id, oldestAgeMs: now() - oldest.acceptedAt };
    },
  };
}
