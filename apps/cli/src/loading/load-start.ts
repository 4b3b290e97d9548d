import { randomUUID } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { counted } from "@synap/types/internal";
import { readContinuation, surveyFile } from "./file-survey.ts";
import { LoadError } from "./load-error.ts";
import { type LoadState, readLoadState } from "./load-state.ts";

/** The point at which a load starts. */
export interface LoadStart {
  /** `resumed`: an earlier run stopped after `line`. `finished`: it reached the end. */
  readonly kind: "new" | "resumed" | "grown" | "finished";
  readonly line: number;
  readonly offset: number;
}

/** Offset and state from which a load of a file starts. */
export interface FileStart {
  readonly kind: LoadStart["kind"];
  readonly state: LoadState;
  /** True when the file ends in text that does not count as a line yet. */
  readonly unfinished: boolean;
}

/**
 * Compares a file with the state of an earlier run.
 *
 * @returns undefined if the file has no line yet
 * @throws LoadError `FILE_CHANGED` when it is neither the same nor one that has grown, `STATE_UNUSABLE`
 */
export async function startFromFile(
  file: FileHandle,
  options: { path: string; statePath: string; url: string; restart: boolean; asNew: boolean },
): Promise<FileStart | { readonly state: undefined; readonly unfinished: boolean }> {
  const earlier = options.asNew ? undefined : readLoadState(options.statePath);
  const found = await surveyFile(file, earlier?.size);
  if (earlier === undefined) {
    if (found.size === 0) return { state: undefined, unfinished: found.unfinished };
    const state = { ...emptyState(options.url, found.fingerprint, found.size), open: found.open };
    return { kind: "new", state, unfinished: found.unfinished };
  }
  if (found.known === undefined) throw changed(options.path, "it is shorter than it was");
  if (found.known !== earlier.fingerprint) {
    throw changed(options.path, `its first ${counted(earlier.size, "byte has", "bytes have")} changed`);
  }
  const sent = earlier.open ? await readContinuation(file, earlier.size) : undefined;
  if (sent?.blank === false) {
    throw changed(
      options.path,
      "its last line was a complete event without a line break, and has been extended",
    );
  }
  if (found.size < earlier.size) throw changed(options.path, "its last line has become longer than 16 MiB");
  const { size, fingerprint, open } = found;
  const parts: LoadState["parts"] =
    size > earlier.size
      ? [...earlier.parts, { start: earlier.size, identity: fingerprint, begunAt: new Date().toISOString() }]
      : earlier.parts;
  const known = { ...earlier, parts, size, fingerprint, open };
  if (options.restart || earlier.url !== options.url || earlier.offset === 0) {
    const { counts, offset, line, rejectedBytes } = emptyState(options.url, fingerprint, size);
    const state = { ...known, url: options.url, counts, offset, line, rejectedBytes };
    return { kind: "new", state, unfinished: found.unfinished };
  }
  // The sent line now ends with the line break that was added since.
  const offset = sent !== undefined && earlier.offset === earlier.size ? sent.end : earlier.offset;
  const kind = offset === size ? "finished" : size > earlier.size ? "grown" : "resumed";
  return { kind, state: { ...known, offset }, unfinished: found.unfinished };
}

/**
 * Checks that a file is the one with which the run began.
 *
 * @throws LoadError `FILE_CHANGED`
 */
export async function assertUnchanged(file: FileHandle, path: string, state: LoadState): Promise<void> {
  const { known } = await surveyFile(file, state.size);
  if (known !== state.fingerprint) throw changed(path, "it was changed while it was read");
}

/** The start for standard input. It can't be read again, so ids are unique to this run, which makes retries within it safe. */
export function streamStart(url: string): LoadState {
  return emptyState(url, randomUUID(), 0);
}

function emptyState(url: string, fingerprint: string, size: number): LoadState {
  const now = new Date().toISOString();
  return {
    format: 1,
    url,
    parts: [{ start: 0, identity: fingerprint, begunAt: now }],
    size,
    fingerprint,
    open: false,
    offset: 0,
    line: 0,
    counts: { accepted: 0, duplicate: 0, rejected: 0 },
    rejectedBytes: 0,
    updatedAt: now,
  };
}

function changed(path: string, how: string): LoadError {
  return new LoadError(
    "FILE_CHANGED",
    `${path} is neither the file that was loaded nor an extension of it: ${how}.\n` +
      "Put back what was there, or load the new lines from a file of their own. With --new the file is loaded from\n" +
      "its first line as another file: lines without an id that were loaded before are then stored a second time.",
  );
}
