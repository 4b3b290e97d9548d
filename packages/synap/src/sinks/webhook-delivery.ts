import { setMaxListeners } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type SinkOutcome, type SinkRange, TransientHandlerError } from "@synap/handlers";
import type { JsonObject, MaskedValue, StoredEvent } from "@synap/types";
import { streamKey } from "@synap/types/internal";
import { WebhookAddressError, WebhookGoneError, WebhookRefusedError } from "./webhook-errors.ts";
import type { WebhookAnswer, WebhookPost } from "./webhook-request.ts";
import { signWebhook, type WebhookKey } from "./webhook-signature.ts";

/** The body of a webhook. It has neither the user of the event nor its sender, source and metadata. */
export interface WebhookBody {
  readonly id: string;
  readonly type: string;
  /** The version of the type that the data has. */
  readonly schemaVersion: number;
  /** When it happened. */
  readonly timestamp: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  /** Its number in its stream, which receivers can put events in order by. */
  readonly streamVersion: number;
  readonly position: number;
  readonly data: JsonObject;
  /** The personal values of the data that are masked. */
  readonly masked?: readonly MaskedValue[];
}

/** One attempt to deliver an event. */
export interface WebhookAttempt {
  readonly sink: string;
  readonly eventId: string;
  readonly position: number;
  /** Number of attempts at this event in this process, including this one. */
  readonly attempt: number;
  /** When it ended, in the form of an event's `timestamp`. */
  readonly at: string;
  readonly durationMs: number;
  /** The HTTP status of the answer; absent if there was none. */
  readonly status?: number;
  /** The reason that there was no answer, such as `ECONNREFUSED` or `WEBHOOK_TIMEOUT`. */
  readonly code?: string;
}

/** The parts of a delivery. */
export interface WebhookDelivery {
  readonly sink: string;
  readonly keys: readonly WebhookKey[];
  readonly post: WebhookPost;
  /** Maximum number of requests at a time, each of another stream. */
  readonly concurrency: number;
  /** Position up to which events are left out. */
  readonly after: number;
  /** No request begins later than this, in milliseconds since the beginning of a call. */
  readonly beginsWithinMs: number;
  readonly memory: WebhookMemory;
  readonly onAttempt?: ((attempt: WebhookAttempt) => void) | undefined;
}

/** The part of a sink that outlives its connections. */
export interface WebhookMemory {
  /** The events of the current batch that the receiver has taken. A failure in between does not send them again. */
  readonly delivered: Set<string>;
  /** The checkpoint that the current batch follows. */
  from: number;
  /** The number of attempts at the events that have not been taken. */
  readonly attempts: Map<string, number>;
  /** Earliest time of the next request, by `performance.now()`. */
  notBefore: number;
  isGone: boolean;
}

export function webhookMemory(): WebhookMemory {
  return { delivered: new Set(), from: 0, attempts: new Map(), notBefore: 0, isGone: false };
}

/** Longest pause that a receiver can ask for, in milliseconds. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

/** Most events whose attempts are counted. */
const MAX_COUNTED = 2_000;

// 400, 413, 415 and 422 are about the content of a request, so another event may do better.
const REFUSED = new Set([400, 413, 415, 422]);
// The receiver, or what is before it, says that it can't take anything now.
const BUSY = new Set([408, 425, 429, 502, 503, 504]);

/** @throws when the receiver has said 410, or has asked for a pause that is not over */
export function checkWelcome(sink: string, memory: WebhookMemory): void {
  if (memory.isGone) throw new WebhookGoneError(sink);
  const waitMs = Math.ceil(memory.notBefore - performance.now());
  if (waitMs > 0)
    throw new TransientHandlerError(
      `The receiver of the webhook "${sink}" wants nothing for another ${Math.ceil(waitMs / 1_000)} s.`,
    );
}

/** Sends events: those of a stream one after the other, several streams at a time, or all in the order of the log. See `SinkConnection.apply`. */
export async function deliver(
  delivery: WebhookDelivery,
  events: readonly StoredEvent[],
  { from, late, signal }: Pick<SinkRange, "from" | "late" | "signal">,
): Promise<readonly SinkOutcome[]> {
  const { sink, memory, concurrency, after, beginsWithinMs } = delivery;
  checkWelcome(sink, memory);
  // The batch before this one is confirmed: its events don't come again.
  if (memory.from !== from) memory.delivered.clear();
  memory.from = from;
  // Each request listens; with more than ten Node would warn of a leak.
  setMaxListeners(0, signal);
  const begun = performance.now();
  const outcomes = new Map<StoredEvent, SinkOutcome>();
  const unexplained: { readonly event: StoredEvent; readonly answer: WebhookAnswer }[] = [];
  let failure: { readonly error: unknown } | undefined;
  let taken = 0;
  // The contract has no way to leave late events for later without a failed one before them.
  const isOver = () =>
    failure !== undefined || (late === undefined && taken > 0 && performance.now() - begun > beginsWithinMs);
  const held = new Set<string>();
  const send = async (lane: readonly StoredEvent[]) => {
    for (const event of lane) {
      if (held.has(streamKey(event))) continue;
      if (event.position > after && !memory.delivered.has(event.id)) {
        if (isOver()) return;
        const answer = await attempt(delivery, event, signal);
        if (answer.status < 200 || answer.status > 299) {
          if (answer.status === 410) memory.isGone = true;
          if (memory.isGone) throw new WebhookGoneError(sink);
          if (BUSY.has(answer.status)) throw unavailable(delivery, answer);
          if (REFUSED.has(answer.status)) outcomes.set(event, refused(sink, answer));
          else unexplained.push({ event, answer });
          held.add(streamKey(event));
          continue;
        }
        taken += 1;
        memory.delivered.add(event.id);
        memory.attempts.delete(event.id);
      }
      outcomes.set(event, { status: "applied" });
    }
  };
  const lanes = (concurrency === 1 ? [events] : byStream(events)).values();
  const worker = async () => {
    for (const lane of lanes) {
      if (failure !== undefined) return;
      try {
        await send(lane);
      } catch (error) {
        failure ??= { error };
      }
      // A batch of events that are left out must not hold up everything else.
      await nextTurn();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  if (failure !== undefined) throw failure.error;
  for (const { event, answer } of unexplained) {
    if (taken === 0 && late === undefined && !isMostlyDelivered(unexplained.length, memory))
      throw unavailable(delivery, answer);
    outcomes.set(event, refused(sink, answer));
  }
  const result = events.map((event): SinkOutcome => outcomes.get(event) ?? { status: "waiting" });
  if (result.every(({ status }) => status === "applied"))
    for (const { id } of events) memory.delivered.delete(id);
  return result;
}

/**
 * While nothing else is taken, nobody can tell such an answer from a receiver that is out of order. But when earlier calls have delivered nearly all
 * of a batch, nothing else is left that could be taken, and the batch would never end.
 */
function isMostlyDelivered(unexplained: number, { delivered }: WebhookMemory): boolean {
  return delivered.size > 0 && unexplained <= Math.max(1, delivered.size / 10);
}

function refused(sink: string, { status }: WebhookAnswer): SinkOutcome {
  return { status: "failed", error: new WebhookRefusedError(sink, status) };
}

function unavailable({ sink, memory }: WebhookDelivery, { status, retryAfter }: WebhookAnswer): Error {
  memory.notBefore = performance.now() + pauseOf(retryAfter);
  return new TransientHandlerError(`The receiver of the webhook "${sink}" answered ${status}.`);
}

/** The pause that `Retry-After` asks for, in milliseconds: seconds, or a date. At most an hour. */
export function pauseOf(retryAfter: string | undefined, now: number = Date.now()): number {
  if (retryAfter === undefined) return 0;
  const text = retryAfter.trim();
  const pauseMs = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(pauseMs) ? 0 : Math.min(Math.max(0, pauseMs), MAX_RETRY_AFTER_MS);
}

async function attempt(
  { sink, keys, post, memory, onAttempt }: WebhookDelivery,
  event: StoredEvent,
  signal: AbortSignal,
): Promise<WebhookAnswer> {
  const count = (memory.attempts.get(event.id) ?? 0) + 1;
  memory.attempts.delete(event.id);
  memory.attempts.set(event.id, count);
  const [oldest] = memory.attempts.keys();
  if (memory.attempts.size > MAX_COUNTED && oldest !== undefined) memory.attempts.delete(oldest);
  const begun = performance.now();
  const report = (result: Pick<WebhookAttempt, "status" | "code">) => {
    const { id: eventId, position } = event;
    const durationMs = Math.round(performance.now() - begun);
    const at = new Date(Date.now()).toISOString();
    try {
      onAttempt?.({ sink, eventId, position, attempt: count, at, durationMs, ...result });
    } catch {
      // The event has arrived or not, whatever a log says.
    }
  };
  const body = Buffer.from(JSON.stringify(bodyOf(event)));
  const headers = { "content-type": "application/json", "user-agent": "synap" };
  let answer: WebhookAnswer;
  try {
    answer = await post(body, { ...headers, ...signWebhook(keys, event.id, body) }, signal);
  } catch (error) {
    const code = codeOf(error);
    report({ code });
    if (error instanceof WebhookAddressError) throw error;
    throw new TransientHandlerError(`The receiver of the webhook "${sink}" gave no answer: ${code}.`, {
      cause: error,
    });
  }
  report({ status: answer.status });
  return answer;
}

/** The code of an error. Its message may have an address. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "NO_ANSWER";
}

/** The body of an event's webhook. */
export function bodyOf(event: StoredEvent): WebhookBody {
  const { id, type, schemaVersion = 1, timestamp, aggregateType, aggregateId, streamVersion } = event;
  const { position, data, masked } = event;
  return {
    id,
    type,
    schemaVersion,
    timestamp,
    aggregateType,
    aggregateId,
    streamVersion,
    position,
    data,
    ...(masked !== undefined && { masked }),
  };
}

function byStream(events: readonly StoredEvent[]): readonly StoredEvent[][] {
  const streams = new Map<string, StoredEvent[]>();
  for (const event of events) {
    const stream = streams.get(streamKey(event));
    if (stream === undefined) streams.set(streamKey(event), [event]);
    else stream.push(event);
  }
  return [...streams.values()];
}
