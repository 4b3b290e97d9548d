import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Creates a directory and its parents, readable for the owner alone. Not by the option "recursive" of Node, which repeats for good
 * where a parent exists and refuses directories with ENOENT, as /proc does.
 */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST") return;
    const parent = dirname(path);
    if (code !== "ENOENT" || parent === path) throw error;
    makeDirectory(parent);
    mkdirSync(path, { mode: 0o700 });
  }
}
