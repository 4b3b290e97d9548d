import { counted } from "@synap/types/internal";
import type { ArchiveState } from "./archived-chunk.ts";

/** Thrown when a chunk got other events since it was archived, or is not what it was. Nothing was dropped: archive it again. */
export class ArchiveOutdatedError extends Error {
  readonly code = "ARCHIVE_OUTDATED";
  override readonly name = "ArchiveOutdatedError";
  readonly chunk: string;

  constructor(chunk: string, found: number, archived: number) {
    super(
      `The chunk ${chunk} has ${counted(found, "event")} now, and ${archived} or others were archived. Archive it again.`,
    );
    this.chunk = chunk;
  }
}

/** Thrown when a chunk is not in the state that a step of archiving needs. */
export class ArchiveStateError extends Error {
  readonly code = "ARCHIVE_STATE";
  override readonly name = "ArchiveStateError";
  readonly chunk: string;

  constructor(chunk: string, state: ArchiveState | undefined, needed: string) {
    super(
      state === undefined
        ? `No chunk ${chunk} was archived.`
        : `The chunk ${chunk} is ${state}, and only one that is ${needed} can be.`,
    );
    this.chunk = chunk;
  }
}

/** Thrown when the events of an archive are not those that were archived. Nothing was changed. */
export class ArchiveDamagedError extends Error {
  readonly code = "ARCHIVE_DAMAGED";
  override readonly name = "ArchiveDamagedError";
  readonly chunk: string;

  constructor(chunk: string, reason: string, options?: ErrorOptions) {
    super(`The archive of the chunk ${chunk} is damaged: ${reason}.`, options);
    this.chunk = chunk;
  }
}
