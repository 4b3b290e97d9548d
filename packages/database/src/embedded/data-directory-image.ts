import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The files of a data directory, held in memory. An in-memory engine that starts from an image has the directory's content,
 * without initialising a cluster (1 to 2 s) or writing to disk. The bytes are shared between threads, not copied.
 */
export interface DataDirectoryImage {
  /** Parents first. Relative to the directory, with forward slashes. */
  readonly directories: readonly string[];
  readonly files: readonly { readonly path: string; readonly start: number; readonly end: number }[];
  /** The content of all files, concatenated. */
  readonly bytes: SharedArrayBuffer;
}

/** Reads the engine's files below `dataDirectory`, which must not be open in any engine. */
export function readDataDirectoryImage(dataDirectory: string): DataDirectoryImage {
  const directories: string[] = [];
  const contents: { path: string; content: Buffer }[] = [];
  const read = (under: string): void => {
    for (const entry of readdirSync(join(dataDirectory, "pg", under), { withFileTypes: true })) {
      const path = under === "" ? entry.name : `${under}/${entry.name}`;
      if (entry.isDirectory()) {
        directories.push(path);
        read(path);
      } else {
        contents.push({ path, content: readFileSync(join(dataDirectory, "pg", path)) });
      }
    }
  };
  read("");
  const bytes = new SharedArrayBuffer(contents.reduce((sum, { content }) => sum + content.length, 0));
  const target = new Uint8Array(bytes);
  let start = 0;
  const files = contents.map(({ path, content }) => {
    const file = { path, start, end: start + content.length };
    target.set(content, start);
    start = file.end;
    return file;
  });
  return { directories, files, bytes };
}
