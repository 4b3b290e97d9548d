import type { StoredEvent, SynapEvent } from "@synap/types";
import type { AppendedEvent } from "../append/append-outcome.ts";
import { cutPage } from "../reading/page-bytes.ts";
import type { PreparedAppend } from "../streams/prepare-append.ts";
import { checkStreamRead, firstPage } from "../streams/read-stream.ts";
import type { StreamInfo, StreamPage, StreamRead } from "../streams/stream-append.ts";
import {
  EventIdConflictError,
  OptimisticLockError,
  StreamClosedError,
  StreamNotFoundError,
} from "../streams/stream-errors.ts";
import { checkExpectedVersion, type ExpectedVersion, type StreamName } from "../streams/stream-name.ts";
import type { MemoryLog, Verdict } from "./memory-log.ts";

/** Appends all or nothing, refusing in the order in which `synap.append_events` does. */
export function appendToMemory(
  log: MemoryLog,
  { events, expectations }: PreparedAppend,
  now: Date,
): AppendedEvent[] {
  const verdicts = log.judge(events);
  refuse(verdicts);
  for (const { expected, ...stream } of expectations) {
    const own = verdicts.filter(({ event }) => isOf(stream, event));
    if (own.length > 0 && own.every(({ status }) => status === "duplicate")) continue;
    expectVersion(stream, expected, log.findStream(stream)?.events.length ?? 0);
  }
  return log.store(verdicts, now).map((stored, place) => {
    const status = verdicts[place]?.status;
    if (stored === undefined || (status !== "stored" && status !== "duplicate")) {
      throw new Error("An event of an append has no place in the log.");
    }
    const { id, position, streamVersion } = stored;
    return { outcome: { status, id, position, streamVersion } };
  });
}

function refuse(verdicts: readonly Verdict[]): void {
  const conflict = verdicts.find(({ status }) => status === "conflict");
  if (conflict !== undefined) throw new EventIdConflictError(conflict.event.id);
  const closed = verdicts.find(({ status }) => status === "closed");
  if (closed !== undefined) {
    const { aggregateType, aggregateId } = closed.event;
    throw new StreamClosedError({ aggregateType, aggregateId });
  }
  for (const { event, original } of verdicts) {
    const first = typeof original === "number" ? verdicts[original]?.event : original;
    if (first !== undefined && !isOf(first, event)) throw new EventIdConflictError(event.id);
  }
}

export function closeInMemory(log: MemoryLog, name: StreamName, expected: ExpectedVersion, now: Date): void {
  checkExpectedVersion(expected);
  const stream = log.findStream(name);
  if (stream === undefined && (expected === "any" || expected === "no-stream" || expected === 0)) {
    throw new StreamNotFoundError(name);
  }
  expectVersion(name, expected, stream?.events.length ?? 0);
  if (stream !== undefined) stream.closedAt ??= now.toISOString();
}

export function streamInMemory(log: MemoryLog, name: StreamName): StreamInfo | undefined {
  const stream = log.findStream(name);
  return (
    stream && {
      streamVersion: stream.events.length,
      ...(stream.closedAt !== undefined && { closedAt: stream.closedAt }),
    }
  );
}

/** Up to the version that the stream has when reading begins, as in the real store. */
export async function* readFromMemory(
  log: MemoryLog,
  name: StreamName,
  read: StreamRead,
): AsyncGenerator<StoredEvent, void, void> {
  checkStreamRead(read);
  const { fromVersion = 1, toVersion = Number.POSITIVE_INFINITY } = read;
  const events = log.findStream(name)?.events.slice(Math.max(0, fromVersion - 1), toVersion) ?? [];
  yield* read.direction === "backwards" ? events.reverse() : events;
}

export function readPageFromMemory(log: MemoryLog, name: StreamName, read: StreamRead): StreamPage {
  checkStreamRead(read);
  const all = log.findStream(name)?.events ?? [];
  const { from, to, isLast } = firstPage(all.length, read);
  if (from > to) return { events: [] };
  const range = all.slice(from - 1, to);
  const isBackwards = read.direction === "backwards";
  const { events, isCut } = cutPage(isBackwards ? range.reverse() : range);
  const last = events.at(-1);
  if (last === undefined || (isLast && !isCut)) return { events };
  return { events, nextVersion: last.streamVersion + (isBackwards ? -1 : 1) };
}

function expectVersion(stream: StreamName, expected: ExpectedVersion, actual: number): void {
  const isMet =
    expected === "any" ||
    (expected === "no-stream" && actual === 0) ||
    (expected === "stream-exists" && actual > 0) ||
    expected === actual;
  if (!isMet) throw new OptimisticLockError(stream, expected, actual);
}

function isOf(stream: StreamName, event: SynapEvent): boolean {
  return stream.aggregateType === event.aggregateType && stream.aggregateId === event.aggregateId;
}
