import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { z } from "zod";

const countsSchema = z.object({
  accepted: z.int().nonnegative(),
  duplicate: z.int().nonnegative(),
  rejected: z.int().nonnegative(),
});

const importStateSchema = z.object({
  format: z.literal(1),
  /** The API these lines went to. */
  url: z.string(),
  /** Names the file in the ids made for its lines; stays the same while the file only grows. */
  identity: z.string(),
  /** When the first run began: the time of events that don't say when they happened. */
  begunAt: z.string(),
  /** SHA-256 and size of the whole file at the last run. */
  fingerprint: z.string(),
  size: z.int().nonnegative(),
  /** Every line before this byte was answered. */
  offset: z.int().nonnegative(),
  line: z.int().nonnegative(),
  counts: countsSchema,
  /** How much of the report of rejected lines belongs to the lines before `offset`, in bytes. */
  rejectedBytes: z.int().nonnegative(),
  updatedAt: z.string(),
});

/** Lines by what became of them. */
export type ImportCounts = z.infer<typeof countsSchema>;
/** How far an import got. Written after every answered batch, so that it can be killed at any moment. */
export type ImportState = z.infer<typeof importStateSchema>;

/** The state kept for a file, or undefined when there is none that can be used: starting over is always safe. */
export function readImportState(path: string): ImportState | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return importStateSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

/** Replaces the state in one step: a reader, or a process after a kill, finds the old one or the new one. */
export function writeImportState(path: string, state: ImportState): void {
  writeFileSync(`${path}.draft`, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(`${path}.draft`, path);
}

/** Forgets how far an import got. */
export function removeImportState(path: string): void {
  rmSync(path, { force: true });
}
