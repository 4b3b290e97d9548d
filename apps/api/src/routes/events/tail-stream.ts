import type { EventBatch } from "@synap/database";
import type { StoredEvent } from "@synap/types";
import type { CredentialWatch } from "../../identity/credential-watch.ts";
import { Problem } from "../../problems/problem.ts";

/** Time without an event after which a comment is sent, in milliseconds, because proxies close idle connections. */
const HEARTBEAT_MS = 15_000;
/** Length of text that is buffered before it is sent, in characters. */
const CHUNK = 64 * 1024;

/** Log context of a tail that ended with an error. */
export interface TailFault {
  /** The problem document for the client. */
  readonly document: object;
}

/** Options of a tail. */
export interface TailOptions {
  /** Ends the tail gracefully, such as when the process stops. */
  readonly closing: AbortSignal;
  /** Ends the tail with a problem when the credential of its request is no longer accepted. */
  readonly credential: CredentialWatch;
  /** Builds the problem for the client when reading fails. */
  readonly onFault: (error: unknown) => TailFault;
  /** Called once, when the tail has ended for any reason. */
  readonly onEnd?: () => void;
  /** Default: 15 seconds. */
  readonly heartbeatMs?: number;
}

/**
 * Streams a subscription as server-sent events. Reads the next batch only after the client has received the previous one, so a
 * slow client takes the memory of one batch. Ends when the client disconnects, its credential ends or the process stops.
 */
export function tailStream(
  subscribe: (signal: AbortSignal) => AsyncIterable<EventBatch>,
  options: TailOptions,
): ReadableStream<Uint8Array> {
  const ended = new AbortController();
  const end = () => ended.abort();
  const encoder = new TextEncoder();
  let frames: AsyncGenerator<string, void, void> | undefined;
  let stopWatching = (): void => {};
  let isFinished = false;
  const finish = async () => {
    if (isFinished) return;
    isFinished = true;
    options.onEnd?.();
    stopWatching();
    options.closing.removeEventListener("abort", end);
    ended.abort();
    await frames?.return();
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (frames === undefined) {
          options.closing.addEventListener("abort", end);
          if (options.closing.aborted) end();
          stopWatching = options.credential((problem) => ended.abort(problem));
          frames = framesOf(subscribe(ended.signal), ended.signal, options);
        }
        const next = await frames.next();
        if (next.done !== true) return controller.enqueue(encoder.encode(next.value));
        await finish();
        controller.close();
      },
      cancel: finish,
    },
    // Nothing is read before the client's connection pulls the first bytes.
    { highWaterMark: 0 },
  );
}

async function* framesOf(
  batches: AsyncIterable<EventBatch>,
  signal: AbortSignal,
  { heartbeatMs = HEARTBEAT_MS, onFault }: TailOptions,
): AsyncGenerator<string, void, void> {
  yield "retry: 1000\n\n";
  const iterator = batches[Symbol.asyncIterator]();
  const account: Account = { number: 0, after: undefined };
  try {
    for (;;) {
      const next = iterator.next();
      const isSettledWithin = watch(next);
      while (!(await isSettledWithin(heartbeatMs))) yield ": nothing new\n\n";
      const result = await next;
      if (result.done === true) break;
      for (const text of batchFrames(result.value, account)) {
        if (signal.aborted) break;
        yield text;
      }
    }
  } catch (error) {
    if (!signal.aborted) yield frame("problem", onFault(error).document);
  } finally {
    await iterator.return?.();
  }
  if (signal.reason instanceof Problem) yield frame("problem", onFault(signal.reason).document);
}

/**
 * Watches a promise. The returned function waits up to the given milliseconds for it, and resolves with true if the promise has
 * settled. It attaches a single reaction to the promise, while a `Promise.race` for each heartbeat would add one each time.
 */
function watch(promise: Promise<unknown>): (ms: number) => Promise<boolean> {
  let isSettled = false;
  let onSettled = (): void => {};
  const settle = () => {
    isSettled = true;
    onSettled();
  };
  promise.then(settle, settle);
  return (ms) =>
    new Promise((resolve) => {
      if (isSettled) return resolve(true);
      const timer = setTimeout(() => resolve(false), ms);
      onSettled = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
}

/** The state of a connection from which a client can prove that no frame was lost: see StreamedEvent. */
interface Account {
  /** Number of events sent. */
  number: number;
  /** Id of the last frame; undefined before the first one. */
  after: number | undefined;
}

/**
 * Formats a batch. Every frame has an id, after which a client resumes; the first one of a connection says where it begins, so that
 * a client which is disconnected before the first event resumes there.
 */
function* batchFrames(batch: EventBatch, account: Account): Generator<string> {
  let text = account.after === undefined ? progressFrame(batch.after, false, account, batch.watermark) : "";
  for (const event of batch.events) {
    text += eventFrame(event, account);
    if (text.length < CHUNK) continue;
    yield text;
    text = "";
  }
  yield text + progressFrame(batch.position, batch.caughtUp, account);
}

function progressFrame(position: number, caughtUp: boolean, account: Account, end?: number): string {
  const { number, after = position } = account;
  account.after = position;
  return `id: ${position}\n${frame("progress", { after, number, position, caughtUp, end })}`;
}

/** Formats an event without a name, so that an EventSource passes it to `onmessage`. */
function eventFrame(event: StoredEvent, account: Account): string {
  const { after } = account;
  account.number += 1;
  account.after = event.position;
  return `id: ${event.position}\ndata: ${JSON.stringify({ number: account.number, after, event })}\n\n`;
}

/** Formats a value as one line of data, because JSON has no line breaks. */
function frame(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
