import { isErrorValue, readProperty } from "@synap/types/internal";
import { z } from "zod";

/**
 * Thrown to a reader that would skip events because their chunk is in an archive. Nothing was read. `synap archive restore` brings the chunk
 * back, and the reader goes on.
 */
export class EventsArchivedError extends Error {
  override readonly name = "EventsArchivedError";
  readonly code = "EVENTS_ARCHIVED";
  /** The name of the archived chunk. */
  readonly chunk: string;
  /** The positions of its first and its last event; between them may be events of other chunks. */
  readonly firstPosition: number;
  readonly lastPosition: number;

  constructor({ chunk, firstPosition, lastPosition }: ArchivedPlace, options?: ErrorOptions) {
    super(
      `The answer would lack events: those of the chunk ${chunk}, positions ${firstPosition} to ${lastPosition}, are in an archive. ` +
        `\`synap archive restore ${chunk}\` brings them back.`,
      options,
    );
    this.chunk = chunk;
    this.firstPosition = firstPosition;
    this.lastPosition = lastPosition;
  }
}

const archivedPlace = z.object({ chunk: z.string(), firstPosition: z.int(), lastPosition: z.int() });

/** An archived chunk, and the positions of its events. */
export type ArchivedPlace = z.output<typeof archivedPlace>;

/** The error of a read that `synap.refuse_archived` refused; undefined for any other. */
export function asEventsArchived(error: unknown): EventsArchivedError | undefined {
  if (!isErrorValue(error) || readProperty(error, "code") !== "SY017") return undefined;
  const detail = readProperty(error, "detail");
  return new EventsArchivedError(archivedPlace.parse(JSON.parse(String(detail))), { cause: error });
}
