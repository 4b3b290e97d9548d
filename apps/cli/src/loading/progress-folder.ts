import { dirname, join } from "node:path";
import { DataDirectoryInUseError } from "@synap/database";
import { lockDataDirectory } from "@synap/database/internal";
import { makeDirectory } from "../durable-files/make-directory.ts";
import { syncDirectory } from "../durable-files/replace-file.ts";
import { LoadError } from "./load-error.ts";

/** The folder beside a file that keeps how far its load got. It belongs to this process until `release` is called. */
export interface ProgressFolder {
  readonly statePath: string;
  release(): void;
}

/**
 * Opens the folder of a file's load, creating it if necessary. Two loads of one file would overwrite each other's progress.
 *
 * @throws LoadError `FILE_IN_USE` when another process loads the file, `STATE_UNUSABLE` when the folder can't be written
 */
export function openProgressFolder(file: string): ProgressFolder {
  const folder = `${file}.synap-load`;
  try {
    makeDirectory(folder);
    syncDirectory(dirname(folder));
    const lock = lockDataDirectory(folder);
    return { statePath: join(folder, "state.json"), release: () => lock.release() };
  } catch (cause) {
    if (cause instanceof DataDirectoryInUseError) throw inUse(file, cause);
    throw unwritable(folder, cause);
  }
}

/** The error for a folder or a state that can't be written. */
export function unwritable(path: string, cause: unknown): LoadError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LoadError(
    "STATE_UNUSABLE",
    `How far the load got can't be written to ${path} (${reason}), so it could not go on after a stop.\n` +
      "Make its directory writable. A copy of the file in another directory is another file: lines without an id that were\n" +
      "loaded before are then stored a second time.",
    { cause },
  );
}

function inUse(file: string, cause: DataDirectoryInUseError): LoadError {
  const { processId, since, host, lockFile } = cause.holder;
  const where = host === undefined ? "" : ` on another machine (${host})`;
  const advice =
    host === undefined
      ? "Wait until it has finished, or stop it: this command continues where it stopped."
      : `If that machine no longer loads it, delete ${lockFile}.`;
  return new LoadError(
    "FILE_IN_USE",
    `Process ${processId}${where} has been loading ${file} since ${since}.\n${advice}`,
    { cause },
  );
}
