import { readFileSync } from "node:fs";
import { describeZodIssues } from "@synap/types/internal";
import { z } from "zod";
import { replaceFile } from "../durable-files/replace-file.ts";
import { LoadError } from "./load-error.ts";
import { unwritable } from "./progress-folder.ts";

const countsSchema = z.object({
  accepted: z.int().nonnegative(),
  duplicate: z.int().nonnegative(),
  rejected: z.int().nonnegative(),
});

const partSchema = z.object({
  /** Start of the part, in bytes. A line belongs to the part that contains its first byte. */
  start: z.int().nonnegative(),
  /** Name of the file in the ids of the part's lines: the fingerprint when the part was first seen. */
  identity: z.string(),
  /** Time at which the part was first seen: the timestamp of its events without one. */
  begunAt: z.iso.datetime(),
});

const loadStateSchema = z.object({
  format: z.literal(1),
  /** The API that received the lines. */
  url: z.string(),
  /** Parts of the file in order: its content at the first run, and the growth found by each later run. */
  parts: z.tuple([partSchema], partSchema),
  /** Number of bytes that the runs so far have read as lines, and their SHA-256. */
  size: z.int().positive(),
  fingerprint: z.string(),
  /** True if the last of these lines has no line break yet. */
  open: z.boolean(),
  /** Every line before this byte was answered. */
  offset: z.int().nonnegative(),
  line: z.int().nonnegative(),
  counts: countsSchema,
  /** Size of the report of rejected lines before `offset`, in bytes. */
  rejectedBytes: z.int().nonnegative(),
  updatedAt: z.string(),
});

/** Numbers of lines by outcome. */
export type LoadCounts = z.infer<typeof countsSchema>;
/** A part of a file that was new when a run began. */
export type FilePart = z.infer<typeof partSchema>;
/** The progress of a load, written after every answered batch so that the load can be killed at any moment. */
export type LoadState = z.infer<typeof loadStateSchema>;

/**
 * Reads the state of a file's load, or undefined if there is none.
 *
 * @throws LoadError `STATE_UNUSABLE` when it can't be read: without it, sent lines would get other times, and those of a
 * file that has grown other ids
 */
export function readLoadState(path: string): LoadState | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw unusable(path, cause);
  }
  try {
    return loadStateSchema.parse(JSON.parse(text), { reportInput: true });
  } catch (cause) {
    throw unusable(path, cause);
  }
}

function unusable(path: string, cause: unknown): LoadError {
  const reason =
    cause instanceof z.ZodError
      ? describeZodIssues(cause.issues, "it")
      : String(cause instanceof Error ? cause.message : cause);
  return new LoadError(
    "STATE_UNUSABLE",
    `${path}, which keeps how far the load got, can't be used (${reason}).\n` +
      "Restore an intact copy of it, or use --new to load the file from its first line as if for the first time:\n" +
      "lines without an id that were loaded before are then stored a second time.",
    { cause },
  );
}

/** Replaces the state and syncs it to disk, because lines sent under a lost state would get other ids and times. */
export function writeLoadState(path: string, state: LoadState): void {
  try {
    replaceFile(path, `${JSON.stringify(state, null, 2)}\n`);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}
