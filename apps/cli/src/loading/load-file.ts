import { type FileHandle, open } from "node:fs/promises";
import { type CatalogueTypes, createSynapClient, SynapUnreachableError } from "@synap/client";
import { START_COMMAND } from "@synap/service/called-as";
import { connectionFault } from "./connection-fault.ts";
import type { LineDefaults } from "./event-line.ts";
import { createEventSender, type EventSender, type SentEvents } from "./event-sender.ts";
import { readBytes } from "./file-survey.ts";
import { batchLines, type LineBatch } from "./line-batches.ts";
import { LoadError } from "./load-error.ts";
import { assertUnchanged, type LoadStart, startFromFile, streamStart } from "./load-start.ts";
import { type LoadCounts, type LoadState, writeLoadState } from "./load-state.ts";
import { openProgressFolder, type ProgressFolder } from "./progress-folder.ts";
import { type Line, readLines } from "./read-lines.ts";
import { RejectedReport } from "./rejected-report.ts";

/** Options of a load. */
export interface LoadOptions {
  /** An NDJSON file, or "-" for standard input. */
  readonly file: string;
  readonly url: string;
  readonly backfill: boolean;
  readonly token?: string;
  /** Maximum number of events in a request. */
  readonly batch: number;
  /** Number of concurrent requests. */
  readonly inFlight: number;
  /** Maximum wait for an unavailable API, in milliseconds. */
  readonly patienceMs: number;
  /** Send the whole file again, whatever earlier runs sent. */
  readonly restart: boolean;
  /** Treat the file as never loaded: ignore the state of earlier runs. */
  readonly asNew: boolean;
  readonly signal: AbortSignal;
  readonly onStart?: (start: LoadStart) => void;
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly onWait?: (reason: string, ms: number) => void;
  /** Called with each answered request. */
  readonly onBatch?: (batch: AnsweredBatch) => void;
}

/** An answered request. */
export interface AnsweredBatch {
  /** The lines in the request. */
  readonly lines: readonly number[];
  /** Time of sending, in milliseconds since 1970. */
  readonly sentAt: number;
  /** Duration of all attempts. */
  readonly ms: number;
}

/** Progress of a load. */
export interface LoadProgress {
  readonly counts: LoadCounts;
  /** Number of lines answered in all runs. */
  readonly lines: number;
  /** Number of bytes answered, and the total, which is undefined for standard input. */
  readonly bytes: number;
  readonly totalBytes?: number;
}

/** The result of a load, over all runs. */
export interface LoadResult extends LoadProgress {
  /** Path of the report of rejected lines, if any line was rejected. */
  readonly rejectedPath?: string;
  /** True if the file ends in an incomplete line, which was not sent. */
  readonly unfinished: boolean;
  /** Number of lines in this run that were rejected because their events are older than the live window. */
  readonly tooOld: number;
}

/** Keeps a request below the API's default limit of 5 MiB. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;

/**
 * Sends every line of an NDJSON file to the API. After a kill at any moment, the next run continues after the last answered
 * line. Lines sent twice are recognised by their ids, so each is stored exactly once. A file may grow between runs, at any
 * byte: its lines keep their events, ids and times.
 *
 * @throws LoadError when the file or its state can't be used or the API can't be reached; once the cause is fixed, the
 * next run continues
 */
export async function loadFile(options: LoadOptions): Promise<LoadResult> {
  if (options.file === "-") return loadStream(options);
  const file = await openFile(options.file);
  let folder: ProgressFolder | undefined;
  try {
    folder = openProgressFolder(options.file);
    const { statePath } = folder;
    const start = await startFromFile(file, { ...options, path: options.file, statePath });
    await checkApi(options.url, options.signal);
    if (start.state === undefined) {
      const counts = { accepted: 0, duplicate: 0, rejected: 0 };
      return { counts, lines: 0, bytes: 0, totalBytes: 0, tooOld: 0, unfinished: start.unfinished };
    }
    const { kind, state } = start;
    options.onStart?.({ kind, line: state.line, offset: state.offset });
    // Saved before the first event is sent, so that the next run assigns the same ids and times.
    writeLoadState(statePath, state);
    const sent = await sendLines(options, {
      state,
      lines: linesOf(file, state),
      reportPath: `${options.file}.rejected.ndjson`,
      keep: (next) => writeLoadState(statePath, next),
    });
    await assertUnchanged(file, options.file, state);
    return { ...sent, totalBytes: state.size, unfinished: start.unfinished };
  } finally {
    folder?.release();
    await file.close();
  }
}

async function loadStream(options: LoadOptions): Promise<LoadResult> {
  await checkApi(options.url, options.signal);
  options.onStart?.({ kind: "new", line: 0, offset: 0 });
  const sent = await sendLines(options, {
    state: streamStart(options.url),
    lines: readLines(process.stdin),
    reportPath: "stdin.rejected.ndjson",
    keep: () => undefined,
  });
  return { ...sent, unfinished: false };
}

/** Sends lines in batches, several concurrently, and saves the progress in the order of the lines. */
async function sendLines(
  options: LoadOptions,
  from: {
    readonly state: LoadState;
    readonly lines: AsyncIterable<Line>;
    readonly reportPath: string;
    readonly keep: (state: LoadState) => void;
  },
): Promise<Omit<LoadResult, "unfinished">> {
  let { state } = from;
  const report = new RejectedReport(from.reportPath, state.rejectedBytes);
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const send = createEventSender({ ...options, signal });
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
    from.keep(state);
    options.onProgress?.(progressOf(state, options));
  };

  const pending: Pending[] = [];
  try {
    const defaultsOf = (line: Line) => defaultsIn(state, line);
    const limits = { defaultsOf, maxEvents: options.batch, maxBytes: MAX_BATCH_BYTES };
    for await (const batch of batchLines(from.lines, limits)) {
      pending.push({ batch, sent: timed(batch, send, options.onBatch) });
      const oldest = pending.length >= options.inFlight ? pending.shift() : undefined;
      if (oldest !== undefined) await settle(oldest);
    }
    for (let oldest = pending.shift(); oldest !== undefined; oldest = pending.shift()) await settle(oldest);
  } finally {
    stop.abort();
    await Promise.allSettled(pending.map(({ sent }) => sent));
  }
  return {
    ...progressOf(state, options),
    tooOld,
    ...(report.bytes > 0 ? { rejectedPath: from.reportPath } : {}),
  };
}

/** Opens the file once for the whole run, because another file may replace it under the same path. */
async function openFile(path: string): Promise<FileHandle> {
  const unreadable = (reason: string, cause?: unknown) => new LoadError("FILE_UNREADABLE", reason, { cause });
  const file = await open(path, "r").catch((cause: unknown) => {
    const isMissing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    throw unreadable(
      isMissing ? `There is no file ${path}.` : `${path} can't be read: ${String(cause)}`,
      cause,
    );
  });
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw unreadable(`${path} is not a file.`);
}

/** Reads the lines that the file had at the survey. Lines appended later are left to the next run. */
async function* linesOf(file: FileHandle, state: LoadState): AsyncGenerator<Line> {
  const bytes = readBytes(file, state.offset, state.size);
  for await (const line of readLines(bytes, { line: state.line, offset: state.offset })) {
    // A file that was truncated meanwhile may end in the middle of a line.
    if (line.terminated || line.end === state.size) yield line;
  }
}

function defaultsIn({ parts }: LoadState, line: Line): LineDefaults {
  const part = parts.findLast(({ start }) => start <= line.start) ?? parts[0];
  return { identity: part.identity, timestamp: part.begunAt };
}

interface Pending {
  readonly batch: LineBatch;
  readonly sent: Promise<SentEvents>;
}

function timed(
  { events }: LineBatch,
  send: EventSender,
  onBatch: LoadOptions["onBatch"],
): Promise<SentEvents> {
  const sentAt = performance.timeOrigin + performance.now();
  const sent = send(events).then((response) => {
    const ms = performance.timeOrigin + performance.now() - sentAt;
    if (events.length > 0) onBatch?.({ lines: events.map(({ number }) => number), sentAt, ms });
    return response;
  });
  // Awaited later in order; until then a failure must not count as unhandled.
  sent.catch(() => undefined);
  return sent;
}

function progressOf(state: LoadState, { file }: LoadOptions): LoadProgress {
  return {
    counts: state.counts,
    lines: state.line,
    bytes: state.offset,
    ...(file === "-" ? {} : { totalBytes: state.size }),
  };
}

async function checkApi(url: string, signal: AbortSignal): Promise<void> {
  const api = createSynapClient<CatalogueTypes>({ url, retry: { attempts: 1 }, timeoutMs: 10_000 });
  try {
    await api.health({ signal });
  } catch (cause) {
    signal.throwIfAborted();
    // Any response shows that a server runs; the first batch shows if it accepts events.
    if (!(cause instanceof SynapUnreachableError)) return;
    throw new LoadError(
      "API_UNREACHABLE",
      `The API at ${url} can't be reached: ${connectionFault(cause.cause)}\nStart it with "${START_COMMAND}", or give its address with --url.`,
      { cause },
    );
  }
}
