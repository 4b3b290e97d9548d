import type { Database, EventStore } from "@synap/database";
import { readEpochs, withTimeLimit } from "@synap/database/internal";
import { checkCheckpoint, epochName } from "./check-checkpoint.ts";
import { lastDeadLetter } from "./held-events.ts";
import type { Sink, SinkCheckpoint, SinkConnection, SinkRange } from "./sink.ts";
import { SinkTimeoutError } from "./sink-errors.ts";
import type { LeasedSink } from "./sink-lease.ts";

/** An open destination. */
export interface OpenedSink {
  readonly connection: SinkConnection;
  /** The number of the epoch in which it was opened. */
  readonly epoch: number;
  /** The name of that epoch. */
  readonly epochName: string;
  readonly closing: AbortController;
  /** The last position of a dead letter when it was opened. */
  readonly lastDeadLetter: number;
  checkpoint: SinkCheckpoint;
}

/** The parts that a destination is opened with. */
interface OpeningParts {
  readonly sink: Sink;
  readonly database: Database;
  readonly store: Pick<EventStore, "readAll">;
}

/**
 * Opens the destination of a sink, and finds the checkpoint from which it goes on.
 *
 * @param closing ends the calls of the destination
 * @throws SinkEpochError, SinkPositionError, SinkTimeoutError, or when it can't be reached
 */
export async function openSink(
  { sink, database, store }: OpeningParts,
  leased: LeasedSink,
  closing: AbortController,
): Promise<OpenedSink> {
  const epochs = await readEpochs(database);
  const current = epochs.at(-1);
  if (current === undefined) throw new Error("synap.epochs has no row: they were deleted.");
  const connection = await limited(sink, sink.open(closing.signal), closing);
  try {
    const epoch = epochName(current);
    const kept = await limited(sink, connection.checkpoint(), closing);
    const own = sink.promise.keepsCheckpoint ? 0 : Math.max(leased.position, sink.after ?? 0);
    if (kept !== undefined) {
      const { watermark } = await store.readAll({ after: Number.MAX_SAFE_INTEGER, limit: 1 });
      checkCheckpoint(sink.name, kept, epochs, watermark);
    }
    return {
      connection,
      epoch: current.number,
      epochName: epoch,
      closing,
      lastDeadLetter: await lastDeadLetter(database, sink.name),
      checkpoint: kept ?? { position: own, epoch },
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Waits for a call of a destination. One that is late is ended, and its connection is given up. */
export function limited<Result>(
  { name, timeoutMs }: Sink,
  call: Promise<Result>,
  closing: AbortController,
): Promise<Result> {
  call.catch(() => {});
  return withTimeLimit(call, timeoutMs, () => {
    closing.abort();
    throw new SinkTimeoutError(name, timeoutMs);
  });
}

/** The parts of a range that are the same for all batches of a destination. */
export function rangeOf({
  checkpoint,
  epochName: epoch,
  closing,
}: OpenedSink): Pick<SinkRange, "epoch" | "fromEpoch" | "signal"> {
  return { fromEpoch: checkpoint.epoch, epoch, signal: closing.signal };
}
