import type { NameOf } from "./application-types.ts";
import { type Backoff, pauseAfter, sleep } from "./backoff.ts";
import type { SubscriptionRequest as EventSubscription, EventTypeMap, StoredEventIn } from "./contract.ts";
import { retryAfterOf, SynapProblem, SynapUnreachableError } from "./errors.ts";
import type { Resource } from "./resources.ts";
import { readServerSentEvents, type ServerSentEvent } from "./server-sent-events.ts";
import type { Transport } from "./transport.ts";

/** Start and filter of a subscription over a connection that may be lost. */
export interface SubscriptionRequest<Name extends string = string> extends EventSubscription<Name> {
  /** Called when a connection is open: the first one, and after each reconnect. If a callback throws, the iteration fails. */
  readonly onConnect?: () => void;
  /** Called before a reconnect, with the reason. */
  readonly onReconnect?: (reason: unknown) => void;
}

/**
 * The store is behind the position that a subscription has read: it was restored from a backup, or it is another store.
 * Events may be missing or differ; read again from the start or from a position known to be good.
 */
export class SubscriptionGapError extends Error {
  override readonly name = "SubscriptionGapError";
  readonly code = "subscription-gap";
  /** Position up to which the subscription has read. */
  readonly position: number;
  /** Position up to which the store has what was read before: continue there. */
  readonly storePosition: number;

  constructor(position: number, storePosition: number) {
    super(
      `The subscription has read up to position ${position}, and the store is at ${storePosition}: it isn't the store that ` +
        "was read before, or was restored from a backup. Compare what was read since, and continue at the store's position.",
    );
    this.position = position;
    this.storePosition = storePosition;
  }
}

/** A connection has lost or repeated something on the way. The subscription goes on after the last event that it has accounted for. */
export class LostFramesError extends Error {
  override readonly name = "LostFramesError";
  readonly code = "frames-lost";
}

/** The API sends a comment every 15 seconds; a connection that is silent for this long is dead. */
const SILENCE_MS = 50_000;
const BACKOFF: Backoff = { firstMs: 250, maxMs: 10_000 };

/**
 * Iterates over the events after a position and then over each new one, without gaps or repetitions. A lost connection is
 * reopened after the last event. From `now` it begins at the end of the log when the first connection is open.
 *
 * @throws SubscriptionGapError, SynapProblem for a request that the API refuses, and the signal's reason
 *
 * @internal
 */
export async function* subscribe<Types extends EventTypeMap, const Name extends NameOf<Types>>(
  transport: Transport,
  request: SubscriptionRequest<Name>,
): AsyncGenerator<StoredEventIn<Types, Name>, void, void> {
  const { from = "now", stream, signal, onProgress, onConnect, onReconnect, ...filter } = request;
  let position = from === "start" ? 0 : from === "now" ? undefined : from;
  let received = 0;
  const query = { ...filter, aggregateType: stream?.aggregateType, aggregateId: stream?.aggregateId };
  for (let failures = 0; ; ) {
    let retryAfterMs: number | undefined;
    // True while a callback runs: its error is the program's, and no reconnect would cure it.
    let calling = false;
    const call = (callback: () => void) => {
      calling = true;
      callback();
      calling = false;
    };
    const connection = new AbortController();
    const connected = signal === undefined ? connection.signal : AbortSignal.any([signal, connection.signal]);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const restartTimer = () => {
      clearTimeout(timer);
      timer = setTimeout(() => connection.abort(new Error("the connection was silent")), SILENCE_MS);
    };
    try {
      restartTimer();
      const response = await transport.open("streamEvents", {
        query: { ...query, from: String(position ?? "now") },
        signal: connected,
      });
      if (response.body === null) throw new Error("the response had no body");
      call(() => onConnect?.());
      let number = 0;
      for await (const frame of readServerSentEvents(response.body, restartTimer)) {
        const read = readFrame(frame);
        if (read === undefined) continue;
        if (read.kind === "event") number += 1;
        const after: number = position ?? read.after;
        if (read.kind === "progress" && read.end !== undefined && read.end < after)
          throw new SubscriptionGapError(after, read.end);
        checkAccount(read, after, number);
        if (read.position > after) failures = 0;
        position = read.position;
        if (read.kind === "progress") {
          const { caughtUp } = read;
          call(() => onProgress?.({ position: read.position, caughtUp, received }));
        } else {
          received += 1;
          // Time in which the loop's own code works is no silence of the connection.
          clearTimeout(timer);
          yield read.event as unknown as StoredEventIn<Types, Name>;
          restartTimer();
        }
      }
      call(() => onReconnect?.(new Error("the API ended the stream")));
    } catch (error) {
      signal?.throwIfAborted();
      if (calling || !mayReconnect(error)) throw error;
      retryAfterMs = retryAfterOf(error);
      onReconnect?.(error);
    } finally {
      clearTimeout(timer);
      connection.abort();
    }
    failures += 1;
    await sleep(pauseAfter(failures, BACKOFF, retryAfterMs), signal);
  }
}

/** Checks that a frame follows the one before it. @throws LostFramesError */
function checkAccount(frame: Frame, after: number, number: number): void {
  const { position } = frame;
  const isNext = frame.kind === "event" ? position > after : position >= after;
  if (frame.after === after && frame.number === number && isNext) return;
  throw new LostFramesError(
    `The connection sent event ${frame.number} after position ${frame.after}, and ${number} after ${after} was due.`,
  );
}

function mayReconnect(error: unknown): boolean {
  // A RangeError is about the request itself.
  if (error instanceof SubscriptionGapError || error instanceof RangeError) return false;
  // A token that has ended may have been replaced; one that has not is refused when it connects again.
  if (error instanceof SynapProblem)
    return (
      error.problem.status >= 500 || error.problem.status === 429 || error.problem.code === "credential-ended"
    );
  return (
    error instanceof SynapUnreachableError ||
    error instanceof TypeError ||
    (error instanceof Error && !("code" in error && error.code === "answer-invalid"))
  );
}

type Frame =
  | (Resource<"StreamedEvent"> & { readonly kind: "event"; readonly position: number })
  | (Resource<"StreamProgress"> & { readonly kind: "progress" });

/** @throws SynapProblem for the frame by which the API says why it ends */
function readFrame({ event, data }: ServerSentEvent): Frame | undefined {
  const value = JSON.parse(data);
  if (event === "message") return { kind: "event", ...value, position: value.event.position };
  if (event === "progress") return { kind: "progress", ...value };
  if (event === "problem") {
    if (value.code === "position-lost") throw new SubscriptionGapError(value.position, value.resumeAfter);
    throw new SynapProblem(value);
  }
  return undefined;
}
