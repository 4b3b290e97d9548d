import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Replaces a file atomically: a reader, or a process after a kill or a power cut, finds the old text or the new one. The new
 * text is synced to disk when it returns.
 *
 * @param mode permissions of the new file
 */
export function replaceFile(path: string, text: string, mode = 0o666): void {
  const draft = `${path}.draft`;
  rmSync(draft, { force: true });
  writeDurably(draft, "w", text, mode);
  renameSync(draft, path);
  syncDirectory(dirname(path));
}

/** Appends text to a file, creating it if necessary. The text is synced to disk when it returns. */
export function appendDurably(path: string, text: string): void {
  writeDurably(path, "a", text);
}

/** Syncs a directory, so that a file created or renamed in it is on the disk. */
export function syncDirectory(path: string): void {
  // Windows can't open a directory, and syncs its entries by itself.
  if (process.platform === "win32") return;
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function writeDurably(path: string, flags: "w" | "a", text: string, mode = 0o666): void {
  const file = openSync(path, flags, mode);
  try {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
