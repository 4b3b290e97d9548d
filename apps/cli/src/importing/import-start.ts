import { randomUUID } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { counted } from "@synap/types/internal";
import { readContinuation, surveyFile } from "./file-survey.ts";
import { ImportError } from "./import-error.ts";
import { type ImportState, readImportState } from "./import-state.ts";

/** The point at which an import starts. */
export interface ImportStart {
  /** `resumed`: an earlier run stopped after `line`. `finished`: it reached the end. */
  readonly kind: "new" | "resumed" | "grown" | "finished";
  readonly line: number;
  readonly offset: number;
}

/** Offset and state from which an import of a file starts. */
export interface FileStart {
  readonly kind: ImportStart["kind"];
  readonly state: ImportState;
  /** True when the file ends in text that does not count as a line yet. */
  readonly unfinished: boolean;
}

/**
 * Compares a file with the state of an earlier run.
 *
 * @returns undefined if the file has no line yet
 * @throws ImportError `FILE_CHANGED` when it is neither the same nor one that has grown, `STATE_UNUSABLE`
 */
export async function startFromFile(
  file: FileHandle,
  options: { path: string; statePath: string; url: string; restart: boolean; asNew: boolean },
): Promise<FileStart | { readonly state: undefined; readonly unfinished: boolean }> {
  const earlier = options.asNew ? undefined : readImportState(options.statePath);
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
  const parts: ImportState["parts"] =
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
 * @throws ImportError `FILE_CHANGED`
 */
export async function assertUnchanged(file: FileHandle, path: string, state: ImportState): Promise<void> {
  const { known } = await surveyFile(file, state.size);
  if (known !== state.fingerprint) throw changed(path, "it was changed while it was read");
}

/** The start for standard input. It can't be read again, so ids are unique to this run, which makes retries within it safe. */
export function streamStart(url: string): ImportState {
  return emptyState(url, randomUUID(), 0);
}

function emptyState(url: string, fingerprint: string, size: number): ImportState {
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

function changed(path: string, how: string): ImportError {
  return new ImportError(
    "FILE_CHANGED",
    `${path} is neither the file that was imported nor an extension of it: ${how}.\n` +
      "Put back what was there, or import the new lines from a file of their own. With --new the file is imported from\n" +
      "its first line as another file: lines without an id that were imported before are then stored a second time.",
  );
}
