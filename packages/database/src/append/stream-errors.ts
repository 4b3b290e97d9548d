import type { ExpectedVersion, StreamName } from "@synap/types";
import { describeStream, streamKey } from "@synap/types/internal";
import { z } from "zod";
import { isLockTimeout, sqlState } from "../connection/database-errors.ts";
import type { SqlSession, Transaction } from "../connection/sql-session.ts";

/** A stream is not at the expected version, because another append came first. Load it again and repeat the decision. */
export class OptimisticLockError extends Error {
  override readonly name = "OptimisticLockError";
  readonly code = "OPTIMISTIC_LOCK";
  readonly stream: StreamName;
  readonly expected: ExpectedVersion;
  /** Current version of the stream; 0 when it has no events. */
  readonly actual: number;

  constructor(stream: StreamName, expected: ExpectedVersion, actual: number, options?: ErrorOptions) {
    super(`Stream ${describeStream(stream)} is at version ${actual}, expected ${expected}.`, options);
    this.stream = stream;
    this.expected = expected;
    this.actual = actual;
  }
}

/** The stream is closed and accepts no more events. It can still be read. */
export class StreamClosedError extends Error {
  override readonly name = "StreamClosedError";
  readonly code = "STREAM_CLOSED";
  readonly stream: StreamName;

  constructor(stream: StreamName, options?: ErrorOptions) {
    super(`Stream ${describeStream(stream)} is closed.`, options);
    this.stream = stream;
  }
}

/**
 * An append timed out waiting for a lock, nearly always that of a stream to which an open transaction has appended. Nothing
 * was stored: append again later. The status of the API names the session that holds the lock.
 */
export class StreamLockedError extends Error {
  override readonly name = "StreamLockedError";
  readonly code = "STREAM_LOCKED";
  /** The locked streams; none if the lock was released meanwhile, or belongs to no stream (a chunk that is being compressed). */
  readonly streams: readonly StreamName[];

  constructor(streams: readonly StreamName[], options?: ErrorOptions) {
    const [first] = streams;
    const others = streams.length > 1 ? ` and ${streams.length - 1} more are` : " is";
    const what =
      first === undefined
        ? "Another transaction holds a lock that the append needs"
        : `Stream ${describeStream(first)}${others} locked by another transaction`;
    super(`${what}; nothing was stored. Try again.`, options);
    this.streams = streams;
  }
}

/** The stream to close does not exist. */
export class StreamNotFoundError extends Error {
  override readonly name = "StreamNotFoundError";
  readonly code = "STREAM_NOT_FOUND";
  readonly stream: StreamName;

  constructor(stream: StreamName, options?: ErrorOptions) {
    super(`Stream ${describeStream(stream)} does not exist.`, options);
    this.stream = stream;
  }
}

/**
 * The event's id is taken by an event with different content, or its idempotency key was used in another stream, so it is
 * not a repetition of that event.
 */
export class EventIdConflictError extends Error {
  override readonly name = "EventIdConflictError";
  readonly code = "EVENT_ID_CONFLICT";
  /** Id of the refused event. */
  readonly id: string;

  constructor(id: string, options?: ErrorOptions) {
    super(`The id or the idempotency key of event ${id} is taken by another event.`, options);
    this.id = id;
  }
}

const stream = z.object({ aggregateType: z.string(), aggregateId: z.string() });
const lockDetail = stream.extend({
  expected: z.union([z.enum(["any", "no-stream", "stream-exists"]), z.number()]),
  actual: z.number(),
});
const idDetail = z.object({ id: z.string() });

/** Converts a lock timeout, and the SQLSTATEs of the append functions, into typed errors. Returns any other error unchanged. */
export function toStreamError(error: unknown): unknown {
  if (isLockTimeout(error)) return new StreamLockedError([], { cause: error });
  const state = sqlState(error);
  if (state === undefined || !/^SY00[167]$/.test(state)) return error;
  const detail: unknown = JSON.parse(detailOf(error) ?? "{}");
  if (state === "SY001") {
    const { expected, actual, ...name } = lockDetail.parse(detail);
    return new OptimisticLockError(name, expected, actual, { cause: error });
  }
  if (state === "SY006") return new StreamClosedError(stream.parse(detail), { cause: error });
  return new EventIdConflictError(idDetail.parse(detail).id, { cause: error });
}

/** A stream because of which a call with several independent appends failed. */
export interface UnmetStream {
  readonly stream: StreamName;
  readonly version: number;
  readonly isClosed: boolean;
  /** One of the events for it is stored already. */
  readonly isRepeated: boolean;
}

const unmetDetail = z.array(z.tuple([z.string(), z.string(), z.int(), z.boolean(), z.boolean()]));

/** Reads the detail of SY013. */
export function unmetStreamsOf(error: unknown): UnmetStream[] {
  const detail: unknown = JSON.parse(detailOf(error) ?? "[]");
  return unmetDetail.parse(detail).map(([aggregateType, aggregateId, version, isClosed, isRepeated]) => ({
    stream: { aggregateType, aggregateId },
    version,
    isClosed,
    isRepeated,
  }));
}

/** Returns the `detail` of a PostgreSQL error, also of a wrapped one. */
function detailOf(error: unknown): string | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 8; each = each.cause, depth += 1) {
    if ("detail" in each && typeof each.detail === "string") return each.detail;
  }
  return undefined;
}

/**
 * Adds the locked streams to a StreamLockedError. Returns any other error unchanged.
 * @param session a usable session; a transaction must have been rolled back to before the append
 */
export async function nameLockedStreams(
  error: unknown,
  session: SqlSession | Transaction,
  streams: readonly StreamName[],
): Promise<unknown> {
  if (!(error instanceof StreamLockedError)) return error;
  const distinct = new Map(
    streams.map(({ aggregateType, aggregateId }) => [
      streamKey({ aggregateType, aggregateId }),
      { aggregateType, aggregateId },
    ]),
  );
  try {
    const locked = await findLocked(session, [...distinct.values()]);
    return new StreamLockedError(locked, { cause: error.cause });
  } catch {
    // The locked stream stays unknown.
    return error;
  }
}

const LOCKED = `
SELECT aggregate_type AS "aggregateType", aggregate_id AS "aggregateId"
  FROM synap.locked_streams(
         ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb)),
         ARRAY(SELECT jsonb_array_elements_text($2::text::jsonb))
       )`;

/** Finds those of the streams that another transaction has locked. */
async function findLocked(
  session: SqlSession | Transaction,
  streams: readonly StreamName[],
): Promise<readonly StreamName[]> {
  const parameters = [
    JSON.stringify(streams.map(({ aggregateType }) => aggregateType)),
    JSON.stringify(streams.map(({ aggregateId }) => aggregateId)),
  ];
  const find = (on: SqlSession) => on.query<StreamName>(LOCKED, parameters);
  return "savepoint" in session ? session.savepoint(find) : find(session);
}
