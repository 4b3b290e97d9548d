import { isErrorValue, readProperty } from "@synap/types/internal";
import { z } from "zod";

/**
 * Thrown to a reader that continues after a position which the store has never had: it was restored from a backup and has lost the
 * events behind it, or it is another store. What was read after `resumeAfter` is not in the store; read on from there.
 */
export class PositionLostError extends Error {
  override readonly name = "PositionLostError";
  readonly code = "POSITION_LOST";
  /** The position of the reader. */
  readonly position: number;
  /** The last position up to which the store has what the reader has read. */
  readonly resumeAfter: number;
  /** The epoch with which the positions of the lost events ended; undefined for a position beyond the end of the log. */
  readonly epoch?: number;

  constructor({ position, resumeAfter, epoch }: LostPosition, options?: ErrorOptions) {
    const since = epoch === null ? "" : ` before its epoch ${epoch}`;
    super(
      `The store has never had position ${position}: it was restored from a backup${since}, or it is another store. ` +
        `Compare what was read after position ${resumeAfter}, and continue there.`,
      options,
    );
    this.position = position;
    this.resumeAfter = resumeAfter;
    if (epoch !== null) this.epoch = epoch;
  }
}

const lostPosition = z.object({ position: z.int(), resumeAfter: z.int(), epoch: z.int().nullable() });

type LostPosition = z.output<typeof lostPosition>;

/** The error of a read that `synap.check_position` refused; undefined for any other. */
export function asPositionLost(error: unknown): PositionLostError | undefined {
  if (!isErrorValue(error) || readProperty(error, "code") !== "SY016") return undefined;
  const detail = readProperty(error, "detail");
  return new PositionLostError(lostPosition.parse(JSON.parse(String(detail))), { cause: error });
}
