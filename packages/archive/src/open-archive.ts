import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type ArchiveDestination, InvalidArchiveUrlError } from "./archive-destination.ts";
import type { ArchiveFormat, ArchiveFormatName } from "./archive-format.ts";
import { openFolder } from "./destinations/folder.ts";
import { ndjson } from "./formats/ndjson.ts";

const FORMATS: Readonly<Record<ArchiveFormatName, ArchiveFormat>> = { "ndjson.zst": ndjson };

/** The format of this name. */
export function archiveFormat(name: ArchiveFormatName): ArchiveFormat {
  return FORMATS[name];
}

/**
 * The destination at a path (absolute, or relative to the working directory) or a `file:///...` URL. Nothing is made or asked before it is used.
 * Throws `InvalidArchiveUrlError`.
 */
export function openArchiveDestination(url: string): ArchiveDestination {
  if (url === "") throw new InvalidArchiveUrlError("An archive needs a path or a URL.");
  const [, scheme] = /^([a-z][a-z0-9+.-]+):/i.exec(url) ?? [];
  if (scheme === undefined) return openFolder(resolve(url));
  if (scheme.toLowerCase() === "file") return openFolder(pathOf(url));
  throw new InvalidArchiveUrlError(`${scheme}: is no scheme of an archive. A path and file: are.`);
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new InvalidArchiveUrlError(`${url} is no URL of a folder.`, { cause });
  }
}
