import type { Epoch } from "@synap/database/internal";
import type { SinkCheckpoint } from "./sink.ts";
import { SinkEpochError, SinkPositionError } from "./sink-errors.ts";

/** The name of an epoch, which no other store has: its number and the moment of its beginning. */
export function epochName({ number, begunAt }: Pick<Epoch, "number" | "begunAt">): string {
  return `${number} of ${begunAt}`;
}

/**
 * Refuses to go on from a checkpoint that is not one of this store, or that is of events which it has lost. One of an earlier epoch
 * is taken when the store still has everything up to it.
 *
 * @param epochs those of the store, the current one last
 * @param watermark position up to which the log can be read
 * @throws SinkEpochError, SinkPositionError
 */
export function checkCheckpoint(
  sink: string,
  { position, epoch }: SinkCheckpoint,
  epochs: readonly Epoch[],
  watermark: number,
): void {
  const index = epochs.findIndex((each) => epochName(each) === epoch);
  if (index < 0) throw new SinkEpochError(sink, epoch, "which is none of this store");
  const next = epochs[index + 1];
  if (next !== undefined && position > (next.lastBefore ?? 0)) {
    const end = `which ended at position ${next.lastBefore ?? 0} when the store was restored, and has events up to ${position}`;
    throw new SinkEpochError(sink, epoch, end);
  }
  if (position > watermark) throw new SinkPositionError(sink, position, `but the log ends at ${watermark}`);
}
