import type { Transaction } from "@synap/database";
import { epochMs, lockCheckpoint, type NextAppends } from "@synap/database/internal";

/** What a pass depends on, found out with the checkpoint locked. */
export interface BegunPass extends NextAppends {
  /** The checkpoint. */
  readonly position: number;
  /** Whether streams wait for the handler, and whether one of them may go on. The usual answer is twice no. */
  readonly held: boolean;
  readonly released: boolean;
  /** In how many milliseconds the next of them may, when it waits for another attempt. */
  readonly retry_in: number | null;
  /** Whether the last pass failed. */
  readonly failing: boolean;
  /** The build that is fed, as it is now. Null: it was dropped, or the handler is no projection. */
  readonly feed: "async" | "inline" | null;
  readonly segments: number | null;
  readonly paused: boolean | null;
  readonly handled_ahead: readonly number[] | null;
}

/** Whose pass it is. */
export interface PassRequest {
  readonly checkpoint: string;
  /** The name under which its streams are held. */
  readonly handler: string;
  readonly build?: { readonly projection: string; readonly build: number } | undefined;
  /** How many events to look ahead. */
  readonly window: number;
}

const BEGIN = `
SELECT "position", held, released, retry_in, failing, feed, segments, paused, handled_ahead, watermark, up_to, more,
       ${epochMs("min_timestamp")} AS min_timestamp, ${epochMs("max_timestamp")} AS max_timestamp
  FROM synap.begin_pass($1, $2, $3, $4, $5)`;

/**
 * Takes the checkpoint for this transaction and looks at everything that the pass depends on; undefined when another
 * worker has it. One round trip: a pass of few events is mostly round trips and planning.
 */
export async function beginPass(
  transaction: Transaction,
  { checkpoint, handler, build, window }: PassRequest,
): Promise<BegunPass | undefined> {
  const parameters = [checkpoint, handler, build?.projection ?? null, build?.build ?? null, window];
  const [begun] = await transaction.query<BegunPass>(BEGIN, parameters);
  if (begun !== undefined) return begun;
  // It is somebody else's, or was never there.
  if ((await lockCheckpoint(transaction, checkpoint)) === undefined) return undefined;
  const [created] = await transaction.query<BegunPass>(BEGIN, parameters);
  return created;
}
