import type { Transaction } from "@synap/database";
import { epochMs, lockCheckpoint, type NextAppends } from "@synap/database/internal";

/** A checkpoint that this transaction has locked, with everything that a pass from there depends on. */
export type ClaimedCheckpoint = CheckpointState &
  /** The caller has the next events, or may read those of a range. */
  (({ readonly known: false } & NextAppends) | { readonly known: true });

interface CheckpointState {
  /** The checkpoint. */
  readonly position: number;
  /** True if any stream is held for the handler. */
  readonly held: boolean;
  /** True if one of the held streams may resume. */
  readonly released: boolean;
  /** Time until the next retry of an event of a held stream, in milliseconds. */
  readonly retry_in: number | null;
  /** True if the last pass failed. */
  readonly failing: boolean;
  /** The current mode of the projection's build. Null if the build was dropped, or the handler is no projection. */
  readonly mode: "async" | "inline" | null;
  readonly segments: number | null;
  readonly paused: boolean | null;
  readonly handled_ahead: readonly number[] | null;
}

/** The consumer that claims its checkpoint. */
export interface CheckpointClaim {
  readonly checkpoint: string;
  /** The name under which its streams are held. */
  readonly handler: string;
  readonly build?: { readonly projection: string; readonly build: number } | undefined;
  /** Maximum number of events of the window that the pass may read. */
  readonly window: number;
  /** Positions between which the caller has the events of the consumer's types. */
  readonly known?: { readonly after: number; readonly to: number } | undefined;
}

const CLAIM = `
SELECT "position", held, released, retry_in, failing, mode, segments, paused, handled_ahead, known, watermark, up_to, more,
       ${epochMs("min_timestamp")} AS min_timestamp, ${epochMs("max_timestamp")} AS max_timestamp
  FROM synap.claim_checkpoint($1, $2, $3, $4, $5, $6, $7)`;

/**
 * Locks a checkpoint for this transaction and reads everything that the pass depends on. Creates the checkpoint if there
 * is none. All of it takes one round trip, because round trips and planning dominate a pass of few events.
 *
 * @returns undefined if another worker has the checkpoint
 */
export async function claimCheckpoint(
  transaction: Transaction,
  { checkpoint, handler, build, window, known }: CheckpointClaim,
): Promise<ClaimedCheckpoint | undefined> {
  const parameters = [
    checkpoint,
    handler,
    build?.projection ?? null,
    build?.build ?? null,
    window,
    known?.after ?? null,
    known?.to ?? null,
  ];
  const [claimed] = await transaction.query<ClaimedCheckpoint>(CLAIM, parameters);
  if (claimed !== undefined) return claimed;
  // Another worker has it, or it does not exist yet.
  if ((await lockCheckpoint(transaction, checkpoint)) === undefined) return undefined;
  const [created] = await transaction.query<ClaimedCheckpoint>(CLAIM, parameters);
  return created;
}
