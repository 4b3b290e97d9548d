import type { SqlSession } from "../connection/sql-session.ts";
import { PositionLostError } from "../position-lost.ts";
import { type Epoch, readEpochs } from "./epoch.ts";

/**
 * Refuses a position of lost events. Returns a promise only when the epochs have to be read.
 * @throws PositionLostError, also as a rejection
 */
export type PositionCheck = (position: number) => void | Promise<void>;

/** Time for which the epochs are taken to be those that were read, in milliseconds. */
const FRESH_MS = 2_000;

/**
 * Creates a check of positions for many callers, which reads the epochs every two seconds at most. While the database does not answer,
 * it goes by what it has read.
 *
 * @param now a monotonic clock, in milliseconds
 */
export function createPositionCheck(
  session: SqlSession,
  now: () => number = () => performance.now(),
): PositionCheck {
  let epochs: readonly Epoch[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    const begunAt = now();
    try {
      epochs = await readEpochs(session);
    } catch {
      // The read that follows meets the same error, or is answered by a replica.
    } finally {
      readAt = begunAt;
      reading = undefined;
    }
  }

  return (position) => {
    if (now() - readAt < FRESH_MS) return refuseLost(position, epochs);
    reading ??= read();
    return reading.then(() => refuseLost(position, epochs));
  };
}

function refuseLost(position: number, epochs: readonly Epoch[]): void {
  for (const { number, firstPosition, lastBefore = -1 } of epochs) {
    if (position > lastBefore && position < firstPosition)
      throw new PositionLostError({ position, resumeAfter: Math.max(lastBefore, 0), epoch: number });
  }
}
