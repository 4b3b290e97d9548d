import { randomUUID } from "node:crypto";
import { createReadStream, existsSync, statSync } from "node:fs";
import { Readable } from "node:stream";
import { connectionFault } from "./connection-fault.ts";
import { type EventSenderOptions, type SentEvents, sendEvents } from "./event-sender.ts";
import { fingerprintFile } from "./file-fingerprint.ts";
import { ImportError } from "./import-error.ts";
import { type ImportCounts, type ImportState, readImportState, writeImportState } from "./import-state.ts";
import { batchLines, type LineBatch } from "./line-batches.ts";
import { readLines } from "./read-lines.ts";
import { RejectedReport } from "./rejected-report.ts";

/** What to import, where to, and how. */
export interface ImportOptions {
  /** An NDJSON file, or "-" for standard input. */
  readonly file: string;
  readonly url: string;
  readonly backfill: boolean;
  readonly token?: string;
  /** Events a request, at most. */
  readonly batch: number;
  /** Requests under way at the same time. */
  readonly inFlight: number;
  /** How long an API that is away is waited for, in milliseconds. */
  readonly patienceMs: number;
  /** Send the whole file again, whatever an earlier run did. */
  readonly restart: boolean;
  readonly signal: AbortSignal;
  readonly onStart?: (start: ImportStart) => void;
  readonly onProgress?: (progress: ImportProgress) => void;
  readonly onWait?: (reason: string, ms: number) => void;
  /** Told of each request that was answered. */
  readonly onBatch?: (batch: AnsweredBatch) => void;
}

/** A request that was answered. */
export interface AnsweredBatch {
  /** The lines it carried. */
  readonly lines: readonly number[];
  /** When it was sent, in milliseconds since 1970. */
  readonly sentAt: number;
  /** How long it took, with every try. */
  readonly ms: number;
}

/** How an import begins. */
export interface ImportStart {
  /** "resumed": an earlier run got as far as `line`. "finished": it had got to the end. */
  readonly kind: "new" | "resumed" | "grown" | "changed" | "finished";
  readonly line: number;
  readonly offset: number;
}

/** How far an import is. */
export interface ImportProgress {
  readonly counts: ImportCounts;
  /** Lines answered, all runs together. */
  readonly lines: number;
  /** Bytes answered, and in all; `totalBytes` is undefined for standard input. */
  readonly bytes: number;
  readonly totalBytes?: number;
}

/** What an import did, all runs together. */
export interface ImportResult extends ImportProgress {
  /** The report of rejected lines, when there is one. */
  readonly rejectedPath?: string;
  /** Lines this run rejected only because their events are older than the live window. */
  readonly tooOld: number;
}

/** Keeps a request below the API's default limit of 5 MiB. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;

/**
 * Sends every line of an NDJSON file to the API. Killed at any moment and run again, it goes on from the last line
 * that was answered; lines sent twice are recognised by their ids, so each is stored exactly once.
 *
 * @throws ImportError when the file can't be read or the API can't be used; running it again then goes on
 */
export async function importFile(options: ImportOptions): Promise<ImportResult> {
  const isStream = options.file === "-";
  const statePath = `${options.file}.synap-import.json`;
  const reportPath = isStream ? "stdin.rejected.ndjson" : `${options.file}.rejected.ndjson`;
  const { state: start, kind } = isStream ? streamStart(options.url) : await fileStart(options, statePath);
  await checkApi(options.url, options.signal);
  options.onStart?.({ kind, line: start.line, offset: start.offset });

  let state = start;
  const report = new RejectedReport(reportPath, state.rejectedBytes);
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  let tooOld = 0;
  const settle = async ({ batch, sent }: Pending) => {
    const { accepted, duplicate, rejected } = await sent;
    const refused = [...batch.rejected, ...rejected].sort((a, b) => a.number - b.number);
    report.add(refused);
    tooOld += refused.filter(({ code }) => code === "timestamp-too-old").length;
    const { counts } = state;
    state = {
      ...state,
      offset: batch.offset,
      line: batch.line,
      counts: {
        accepted: counts.accepted + accepted,
        duplicate: counts.duplicate + duplicate,
        rejected: counts.rejected + refused.length,
      },
      rejectedBytes: report.bytes,
      updatedAt: new Date().toISOString(),
    };
    if (!isStream) writeImportState(statePath, state);
    options.onProgress?.(progressOf(state, isStream));
  };

  const source = isStream ? process.stdin : readBetween(options.file, state.offset, state.size);
  const lines = readLines(source, { line: state.line, offset: state.offset });
  const pending: Pending[] = [];
  try {
    const defaults = { identity: state.identity, timestamp: state.begunAt };
    // Before the first event is sent: the next run must give the same times.
    if (!isStream) writeImportState(statePath, state);
    const limits = { defaults, maxEvents: options.batch, maxBytes: MAX_BATCH_BYTES };
    for await (const batch of batchLines(lines, limits)) {
      pending.push({ batch, sent: timed(batch, { ...options, signal }, options.onBatch) });
      const oldest = pending.length >= options.inFlight ? pending.shift() : undefined;
      if (oldest !== undefined) await settle(oldest);
    }
    for (let oldest = pending.shift(); oldest !== undefined; oldest = pending.shift()) await settle(oldest);
  } finally {
    stop.abort();
    await Promise.allSettled(pending.map(({ sent }) => sent));
  }
  return {
    ...progressOf(state, isStream),
    tooOld,
    ...(report.bytes > 0 ? { rejectedPath: reportPath } : {}),
  };
}

interface Pending {
  readonly batch: LineBatch;
  readonly sent: Promise<SentEvents>;
}

/** The file as it was fingerprinted: what is appended meanwhile is left to the next run. */
function readBetween(path: string, from: number, to: number): AsyncIterable<Buffer> {
  if (from >= to) return Readable.from([]);
  return createReadStream(path, { start: from, end: to - 1, highWaterMark: 1024 * 1024 });
}

function timed(
  { events }: LineBatch,
  sender: EventSenderOptions,
  onBatch: ImportOptions["onBatch"],
): Promise<SentEvents> {
  const sentAt = performance.timeOrigin + performance.now();
  const sent = sendEvents(events, sender).then((answer) => {
    const ms = performance.timeOrigin + performance.now() - sentAt;
    if (events.length > 0) onBatch?.({ lines: events.map(({ number }) => number), sentAt, ms });
    return answer;
  });
  // It is awaited in its turn; until then a failure must not count as unhandled.
  sent.catch(() => undefined);
  return sent;
}

function progressOf(state: ImportState, isStream: boolean): ImportProgress {
  return {
    counts: state.counts,
    lines: state.line,
    bytes: state.offset,
    ...(isStream ? {} : { totalBytes: state.size }),
  };
}

async function checkApi(url: string, signal: AbortSignal): Promise<void> {
  try {
    const response = await fetch(new URL("/healthz", url), {
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    await response.body?.cancel();
  } catch (cause) {
    signal.throwIfAborted();
    throw new ImportError(
      "API_UNREACHABLE",
      `The API at ${url} can't be reached: ${connectionFault(cause)}\nStart it with "npx pnpm@12 start", or give its address with --url.`,
      { cause },
    );
  }
}

function emptyState(url: string, identity: string, size: number): ImportState {
  return {
    format: 1,
    url,
    identity,
    begunAt: new Date().toISOString(),
    fingerprint: identity,
    size,
    offset: 0,
    line: 0,
    counts: { accepted: 0, duplicate: 0, rejected: 0 },
    rejectedBytes: 0,
    updatedAt: new Date().toISOString(),
  };
}

/** Standard input can't be read again: its lines get ids of this run, which makes retries within the run safe. */
function streamStart(url: string): { state: ImportState; kind: ImportStart["kind"] } {
  return { state: emptyState(url, randomUUID(), 0), kind: "new" };
}

async function fileStart(
  options: ImportOptions,
  statePath: string,
): Promise<{ state: ImportState; kind: ImportStart["kind"] }> {
  if (!existsSync(options.file))
    throw new ImportError("FILE_UNREADABLE", `There is no file ${options.file}.`);
  if (!statSync(options.file).isFile())
    throw new ImportError("FILE_UNREADABLE", `${options.file} is not a file.`);
  const earlier = readImportState(statePath);
  const found = await fingerprintFile(options.file, earlier?.size).catch((cause: unknown) => {
    throw new ImportError("FILE_UNREADABLE", `${options.file} can't be read: ${String(cause)}`, { cause });
  });
  if (earlier === undefined) return { state: emptyState(options.url, found.whole, found.size), kind: "new" };
  const same = earlier.fingerprint === found.whole;
  const grown = !same && earlier.size > 0 && earlier.fingerprint === found.prefix;
  if (!same && !grown) return { state: emptyState(options.url, found.whole, found.size), kind: "changed" };
  const known = { ...earlier, fingerprint: found.whole, size: found.size };
  // Every line there was has been answered: what came since may have a time of its own.
  if (grown && earlier.offset === earlier.size) known.begunAt = new Date().toISOString();
  if (options.restart || earlier.url !== options.url || earlier.offset === 0) {
    const { identity, begunAt, fingerprint, size } = known;
    return { state: { ...emptyState(options.url, identity, size), begunAt, fingerprint }, kind: "new" };
  }
  if (earlier.offset === found.size) return { state: known, kind: "finished" };
  return { state: known, kind: grown ? "grown" : "resumed" };
}
