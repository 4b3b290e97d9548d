import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { EMBEDDED_FOLDER } from "@synap/synap/internal";
import { z } from "zod";
import { replaceFile } from "../durable-files/replace-file.ts";
import { DataDirectoryError } from "./errors.ts";

/** Version of the data directory's layout. Raise it when an older release could no longer read the directory. */
export const DATA_DIRECTORY_FORMAT = 1;

const FORMAT_FILE = "format.json";
const OWN_FILES = /^(lock\..*|(backfill|admin)-token.*|inngest-(event|signing)-key.*|format\.json.*)$/;
/** The keys of personal data, which `createSynap` makes too, and beside them the ledger and the key that signs reports. */
const KEY_FILES = /^personal-data\.keys(?:\.erased|\.signing)?$/;
const formatSchema = z.object({ format: z.int().positive(), release: z.string() });

/**
 * Refuses a directory that this release must not change: one written by a newer release, or one with files of another
 * program. Only reads.
 *
 * @throws DataDirectoryError `DATA_DIRECTORY_NEWER`, `DATA_DIRECTORY_FOREIGN` or `DATA_DIRECTORY_UNUSABLE`
 */
export function checkFormat(directory: string, release: string): void {
  if (!existsSync(directory)) return;
  const path = join(directory, FORMAT_FILE);
  if (!existsSync(path)) {
    const foreign = readdirSync(directory).find(
      // createSynap makes its folder without the other files.
      (name) =>
        !(
          OWN_FILES.test(name) ||
          KEY_FILES.test(name) ||
          (name === EMBEDDED_FOLDER && isEmbeddedDatabase(join(directory, name)))
        ),
    );
    if (foreign === undefined) return;
    throw new DataDirectoryError(
      "DATA_DIRECTORY_FOREIGN",
      `${directory} is not a Synap data directory: it holds "${foreign}" and no ${FORMAT_FILE}. Choose an empty directory with --data.`,
    );
  }
  const written = readFormat(path);
  if (written.format > DATA_DIRECTORY_FORMAT) {
    throw new DataDirectoryError(
      "DATA_DIRECTORY_NEWER",
      `The data directory ${directory} was written by Synap ${written.release} (format ${written.format}). ` +
        `This is Synap ${release}, which reads up to format ${DATA_DIRECTORY_FORMAT}. Nothing was opened or changed. ` +
        `Use Synap ${written.release} or newer, or choose another directory with --data.`,
    );
  }
}

/** Checks that a folder has nothing but what the embedded engine makes in one. */
function isEmbeddedDatabase(folder: string): boolean {
  return (
    statSync(folder).isDirectory() && readdirSync(folder).every((name) => /^(?:pg|lock\..*)$/.test(name))
  );
}

/** Records the release that writes to the directory. Call it while holding the lock. */
export function writeFormat(directory: string, release: string): void {
  const format = JSON.stringify({ format: DATA_DIRECTORY_FORMAT, release });
  replaceFile(join(directory, FORMAT_FILE), `${format}\n`);
}

function readFormat(path: string): z.infer<typeof formatSchema> {
  try {
    return formatSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new DataDirectoryError(
      "DATA_DIRECTORY_UNUSABLE",
      `${path} can't be read as Synap's format file, so it is unknown which release wrote this directory. ` +
        "Restore the file from a backup, or choose another directory with --data.",
      { cause },
    );
  }
}
