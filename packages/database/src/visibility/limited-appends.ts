import { amendmentOf, EventValidationError, type ExpectedVersion, type StreamName } from "@synap/types";
import { amendmentIssue, checkExpectedVersion, describeStream } from "@synap/types/internal";
import type { StreamAppendOptions, StreamAppendResult, StreamEventInput } from "../append/append-methods.ts";
import { OptimisticLockError, StreamClosedError, StreamNotFoundError } from "../append/stream-errors.ts";
import type { EventStore } from "../event-store.ts";
import type { LogReader } from "./log-reader.ts";
import type { Visibility } from "./visibility.ts";

/** A stream can't be created, because its name is taken by one that the caller may not see. Nothing was stored. */
export class StreamTakenError extends Error {
  override readonly name = "StreamTakenError";
  readonly code = "STREAM_TAKEN";
  readonly stream: StreamName;

  constructor(stream: StreamName, options?: ErrorOptions) {
    super(`The name of stream ${describeStream(stream)} is taken. Choose another id.`, options);
    this.stream = stream;
  }
}

/** Appending to one stream, and closing it. */
export interface LimitedAppends {
  appendToStream(
    stream: StreamName,
    expectedVersion: ExpectedVersion,
    events: readonly StreamEventInput[],
    options?: Pick<StreamAppendOptions, "timestamps">,
  ): Promise<StreamAppendResult>;
  closeStream(stream: StreamName, expectedVersion: ExpectedVersion): Promise<void>;
}

/** A version that no stream reaches: an append that expects it stores nothing, and fails as it would without the stream. */
const UNREACHABLE = Number.MAX_SAFE_INTEGER;

/**
 * Appends of a caller with a visibility: to streams that he sees, and to new ones. A stream that he does not see is to him as one that
 * does not exist: it is at version 0, and can't be closed. Only creating it shows that its name is taken (StreamTakenError).
 *
 * An append that is repeated has the first result, as with `appendToStream` of the store.
 */
export function limitedAppends(
  store: Pick<EventStore, "appendToStream" | "closeStream" | "visibleTo">,
  visibility: Visibility,
): LimitedAppends {
  if ("all" in visibility) return store;
  const reader = store.visibleTo(visibility);
  // The owner of a stream never changes, so what is seen once stays seen.
  const isSeen = async (stream: StreamName) => (await reader.getStream(stream)) !== undefined;

  return {
    async appendToStream(stream, expectedVersion, events, options) {
      const append = (expected: ExpectedVersion) => store.appendToStream(stream, expected, events, options);
      checkExpectedVersion(expectedVersion);
      if (events.some(amendmentOf)) await refuseHidden(reader, stream, events);
      if (await isSeen(stream)) return append(expectedVersion);
      const creates = canBeNew(expectedVersion);
      try {
        return await append(creates ? "no-stream" : UNREACHABLE);
      } catch (cause) {
        if (!(cause instanceof OptimisticLockError || cause instanceof StreamClosedError)) throw cause;
        // The caller may have created it meanwhile.
        if (await isSeen(stream)) return append(expectedVersion);
        throw creates
          ? new StreamTakenError(stream, { cause })
          : new OptimisticLockError(stream, expectedVersion, 0, { cause });
      }
    },
    async closeStream(stream, expectedVersion) {
      checkExpectedVersion(expectedVersion);
      if (await isSeen(stream)) return store.closeStream(stream, expectedVersion);
      throw canBeNew(expectedVersion)
        ? new StreamNotFoundError(stream)
        : new OptimisticLockError(stream, expectedVersion, 0);
    },
  };
}

/**
 * Refuses corrections and retractions of events that the caller does not see, as if there were none. Those of events of the same append are
 * for the append to judge.
 *
 * @throws EventValidationError
 */
async function refuseHidden(
  reader: Pick<LogReader, "getById">,
  stream: StreamName,
  events: readonly StreamEventInput[],
): Promise<void> {
  const own = new Set(events.map(({ id }) => id));
  for (const [index, { type, metadata }] of events.entries()) {
    const named = amendmentOf({ metadata });
    if (named === undefined || own.has(named.eventId)) continue;
    const issue = amendmentIssue({ ...stream, type, metadata }, await reader.getById(named.eventId));
    if (issue !== undefined)
      throw new EventValidationError([{ ...issue, path: `events[${index}].${issue.path}` }]);
  }
}

/** True for an expected version that a stream without events has. */
function canBeNew(expected: ExpectedVersion): boolean {
  return expected === "any" || expected === "no-stream" || expected === 0;
}
