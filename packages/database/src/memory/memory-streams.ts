import type { ExpectedVersion, StoredEvent, StreamName } from "@synap/types";
import { checkExpectedVersion } from "@synap/types/internal";
import type { PreparedAppend } from "../append/append-methods.ts";
import {
  type AppendedEvent,
  compareVersions,
  judgeEvents,
  openExpectations,
  requireAll,
} from "../append/judge-events.ts";
import { StreamNotFoundError } from "../append/stream-errors.ts";
import { cutPage } from "../reading/page-bytes.ts";
import {
  checkStreamRead,
  firstPage,
  type StreamInfo,
  type StreamPage,
  type StreamRead,
} from "../reading/read-stream.ts";
import type { MemoryLog, ShownLog } from "./memory-log.ts";

/** Appends events to streams, all or nothing. */
export function appendToMemory(
  log: MemoryLog,
  { events, expectations }: PreparedAppend,
  now: Date,
): AppendedEvent[] {
  const state = log.state(events);
  const verdicts = judgeEvents(events, state);
  requireAll(events, verdicts);
  compareVersions(openExpectations(expectations, events, verdicts), state);
  return log.store(events, verdicts, now);
}

export function closeInMemory(log: MemoryLog, name: StreamName, expected: ExpectedVersion, now: Date): void {
  checkExpectedVersion(expected);
  const stream = log.findStream(name);
  if (stream === undefined && (expected === "any" || expected === "no-stream" || expected === 0)) {
    throw new StreamNotFoundError(name);
  }
  compareVersions([{ ...name, expected }], log.state([]));
  if (stream !== undefined) stream.closedAt ??= now.toISOString();
}

export function streamInMemory(log: ShownLog, name: StreamName): StreamInfo | undefined {
  const stream = log.findStream(name);
  return (
    stream && {
      streamVersion: stream.version,
      ...(stream.closedAt !== undefined && { closedAt: stream.closedAt }),
    }
  );
}

/** Iterates over a stream up to the version that it has when reading begins, as the real store does. */
export async function* readFromMemory(
  log: ShownLog,
  name: StreamName,
  read: StreamRead,
): AsyncGenerator<StoredEvent, void, void> {
  checkStreamRead(read);
  const { fromVersion = 1, toVersion = Number.POSITIVE_INFINITY } = read;
  const events = between(log.findStream(name)?.events ?? [], fromVersion, toVersion);
  yield* read.direction === "backwards" ? events.reverse() : events;
}

export function readPageFromMemory(log: ShownLog, name: StreamName, read: StreamRead): StreamPage {
  checkStreamRead(read);
  const stream = log.findStream(name);
  const info = streamInMemory(log, name);
  if (stream === undefined || info === undefined) return { events: [] };
  const { from, to, isLast } = firstPage(stream.version, read);
  if (from > to) return { events: [], info };
  const range = between(stream.events, from, to);
  const isBackwards = read.direction === "backwards";
  const { events, isCut } = cutPage(isBackwards ? range.reverse() : range);
  if (isLast && !isCut) return { events, info };
  const last = isCut ? events.at(-1)?.streamVersion : isBackwards ? from : to;
  return { events, info, ...(last !== undefined && { nextVersion: last + (isBackwards ? -1 : 1) }) };
}

function between(events: readonly StoredEvent[], from: number, to: number): StoredEvent[] {
  return events.filter(({ streamVersion }) => streamVersion >= from && streamVersion <= to);
}
