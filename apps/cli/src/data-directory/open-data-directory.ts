import { join, resolve } from "node:path";
import { DataDirectoryInUseError } from "@synap/database";
import { type DataDirectoryLock, lockDataDirectory, refuseHeldDirectory } from "@synap/database/internal";
import { EMBEDDED_FOLDER } from "@synap/synap/internal";
import { makeDirectory } from "../durable-files/make-directory.ts";
import { DataDirectoryError } from "./errors.ts";
import { checkFormat, writeFormat } from "./format.ts";

/** A data directory that belongs to this process until `close` is called. */
export interface DataDirectory {
  /** Absolute path. */
  readonly path: string;
  /** Directory of the embedded database's files. */
  readonly databasePath: string;
  /** Releases the directory. Call it when everything inside is closed. */
  close(): void;
}

/**
 * Opens and locks a data directory, creating it when it is missing.
 *
 * @param urls URLs of this process by name, for the error of a second process
 * @throws DataDirectoryError when it is in use, was written by a newer release, or is no data directory
 */
export function openDataDirectory(options: {
  path: string;
  release: string;
  urls: Readonly<Record<string, string>>;
}): DataDirectory {
  const path = resolve(options.path);
  checkFormat(path, options.release);
  try {
    makeDirectory(path);
  } catch (cause) {
    throw new DataDirectoryError(
      "DATA_DIRECTORY_UNUSABLE",
      `The data directory ${path} can't be created: ${cause instanceof Error ? cause.message : String(cause)}.\n` +
        "Choose another directory with --data.",
      {
        cause,
      },
    );
  }
  const lock = takeLock(path, options.urls);
  try {
    // Checked again, now that no other process can change it.
    checkFormat(path, options.release);
    writeFormat(path, options.release);
  } catch (error) {
    lock.release();
    throw error;
  }
  return { path, databasePath: join(path, EMBEDDED_FOLDER), close: () => lock.release() };
}

/** Checks that no process uses a data directory, without taking it. @throws DataDirectoryError naming the process */
export function refuseDirectoryInUse(path: string): void {
  try {
    refuseHeldDirectory(resolve(path));
  } catch (error) {
    throw describeHolder(error);
  }
}

function takeLock(path: string, urls: Readonly<Record<string, string>>): DataDirectoryLock {
  try {
    return lockDataDirectory(path, urls);
  } catch (error) {
    throw describeHolder(error);
  }
}

function describeHolder(error: unknown): unknown {
  if (!(error instanceof DataDirectoryInUseError)) return error;
  const { message, holder } = error;
  const text = holder.host === undefined ? `Synap already runs here. ${message}` : message;
  return new DataDirectoryError("DATA_DIRECTORY_IN_USE", text, { cause: error });
}
