import type { Database } from "@synap/database";
import {
  type ChainReport,
  type ChunkDigest,
  chunkDigests,
  declareRestored,
  type Epoch,
  noteVerified,
  type RestoredFault,
  verifyTables,
} from "@synap/database/internal";
import { counted } from "@synap/types/internal";
import type { ProgressLine } from "../terminal/progress-line.ts";
import { plain } from "../terminal/table.ts";

/** The findings of `verify --restored` beside the chain. */
export interface RestoredReport {
  readonly epoch: Epoch;
  /** Ways in which the tables beside the log differ from the events. */
  readonly tableFaults: readonly RestoredFault[];
  readonly chunks: readonly ChunkDigest[];
}

/**
 * Begins the epoch of a restored store, compares its tables with its events, and digests its chunks. Notes in the store that it was
 * verified, if there is no fault.
 */
export async function verifyRestored(
  database: Database,
  { faultCount }: ChainReport,
  beyond: number | undefined,
  line: ProgressLine,
): Promise<RestoredReport> {
  // First, so that nothing gets a position again even if the rest fails.
  const epoch = await database.asOwner((owner) => declareRestored(owner, beyond));
  return database.asOwner(async (owner) => {
    line.show(undefined, "comparing the tables with the events");
    const tableFaults = await verifyTables(owner);
    const chunks = await chunkDigests(owner, (done, all) =>
      line.show(done / all, `digested ${counted(done, "chunk")} of ${all}`),
    );
    if (faultCount + tableFaults.length === 0) await noteVerified(owner, epoch);
    return { epoch, tableFaults, chunks };
  });
}

/** Describes it for people. */
export function describeRestored({ epoch, tableFaults, chunks }: RestoredReport): string {
  const { number, firstPosition, lastBefore = 0 } = epoch;
  return [
    ...chunks.map(
      ({ chunk, events, digest }) => `chunk ${plain(chunk)} ${counted(events, "event")} ${digest}`,
    ),
    tableFaults.length === 0
      ? "the streams, ids, keys, appends, checkpoints and snapshots fit the events"
      : tableFaults.map(({ kind, message, cure }) => `${kind}: ${plain(message)}\n  ${cure}`).join("\n"),
    `epoch ${number} begins at position ${firstPosition}; positions after ${lastBefore} and before that are refused`,
  ].join("\n");
}
