import { counted } from "@synap/types/internal";
import {
  ENVELOPE_OVERHEAD_BYTES,
  type EnvelopeLimits,
  type EnvelopeSender,
  fitsIntoEnvelope,
  type OutgoingEvent,
  sizeInEnvelope,
} from "./envelopes.ts";
import { SendPace } from "./send-pace.ts";

export interface PublisherOptions {
  /** Number of envelopes sent concurrently. */
  readonly concurrency: number;
  /**
   * Linger: minimum batching delay while other envelopes are in flight, in milliseconds. With a broker that
   * takes longer to accept an envelope, they are batched for as long as one takes.
   */
  readonly lingerMs: number;
  /** Total time that a request waits for the broker, queue included, in milliseconds. */
  readonly deadlineMs: number;
  /** Largest number of events that are queued or in flight. */
  readonly maxQueuedEvents: number;
  /** Largest total size of events that are queued or in flight, in bytes. */
  readonly maxQueuedBytes: number;
  /** Longest time that sending the queue may take before more events are refused, in milliseconds. */
  readonly maxWaitMs: number;
  readonly envelope: EnvelopeLimits;
}

interface Entry {
  readonly outgoing: OutgoingEvent;
  readonly request: PublishRequest;
  readonly index: number;
}

/**
 * Queues events of requests and sends them to the broker in envelopes. With nothing in flight, an envelope is sent at once, so
 * that a lone request does not wait. Otherwise events are batched until an envelope is full, nothing is in flight, or the linger
 * is over. So envelopes grow with the load, and the slower the broker, the larger they become.
 *
 * Its memory has a bound: packing an envelope takes at most a small multiple of the bytes of its events, which count as queued
 * until the broker has answered.
 */
export class Publisher {
  private readonly send: EnvelopeSender;
  private readonly options: PublisherOptions;
  private readonly pace: SendPace;
  private queue: Entry[] = [];
  /** Start of the queue: entries before it have been sent. An index, because `shift` would copy. */
  private head = 0;
  private waitingBytes = 0;
  private queuedEvents = 0;
  private queuedBytes = 0;
  private inFlight = 0;
  private isPumping = false;
  private isLingerOver = false;
  private linger: NodeJS.Timeout | undefined;
  private isClosed = false;
  private idleListeners: (() => void)[] = [];

  constructor(send: EnvelopeSender, options: PublisherOptions) {
    this.send = send;
    this.options = options;
    this.pace = new SendPace(options.concurrency);
  }

  /**
   * Resolves with the outcome of every event, in the order of the events. Events of one call are sent in their order, but the
   * broker may process envelopes concurrently.
   * @throws PublisherFullError, PublisherClosedError; then none of the events was queued.
   */
  async publish(events: readonly OutgoingEvent[]): Promise<PublishOutcome[]> {
    const fitting = events.map((event) => this.fits(event));
    this.assertCapacity(events.filter((_, index) => fitting[index]));
    return new Promise((resolve) => {
      const outcomes: (PublishOutcome | undefined)[] = fitting.map((fits) =>
        fits ? undefined : "too-large",
      );
      const request: PublishRequest = {
        outcomes,
        open: outcomes.filter((outcome) => outcome === undefined).length,
        settle: () => {
          clearTimeout(deadline);
          resolve(outcomes.map((outcome) => outcome ?? "unavailable"));
        },
      };
      const deadline = setTimeout(() => this.giveUp(request), this.options.deadlineMs);
      if (request.open === 0) return request.settle();
      for (const [index, outgoing] of events.entries()) {
        if (fitting[index]) this.enqueue({ outgoing, request, index });
      }
      this.pumpSoon();
    });
  }

  /** Returns true for an event that fits into an envelope. */
  fits(event: OutgoingEvent): boolean {
    return fitsIntoEnvelope(event, this.options.envelope);
  }

  /** Sends queued events without lingering; resolves when the queue is empty and nothing is in flight. Never rejects. */
  async flush(): Promise<void> {
    if (this.queuedEvents === 0 && this.inFlight === 0) return;
    const idle = new Promise<void>((resolve) => this.idleListeners.push(resolve));
    this.pump();
    await idle;
  }

  /** Refuses further events, then flushes. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.flush();
  }

  state(): PublisherState {
    const { maxQueuedEvents, maxQueuedBytes } = this.options;
    const { queuedEvents, queuedBytes, inFlight } = this;
    return { queuedEvents, queuedBytes, envelopesInFlight: inFlight, maxQueuedEvents, maxQueuedBytes };
  }

  /**
   * Throws if these events do not fit into the queue; without events, if it is full, so that a body which would be refused need
   * not be parsed. An empty queue accepts a request of any size (bodies are limited), because it could never be sent otherwise.
   * @throws PublisherFullError, PublisherClosedError
   */
  assertCapacity(events: readonly OutgoingEvent[] = []): void {
    if (this.isClosed) throw new PublisherClosedError();
    if (this.queuedEvents === 0) return;
    const bytes = events.reduce((sum, event) => sum + event.bytes, 0);
    const { maxQueuedEvents, maxQueuedBytes, maxWaitMs } = this.options;
    const fits =
      this.queuedEvents + events.length <= maxQueuedEvents && this.queuedBytes + bytes <= maxQueuedBytes;
    if (fits && this.pace.waitOf(this.waitingEnvelopes()) <= maxWaitMs) return;
    throw new PublisherFullError(this.queuedEvents, this.queuedBytes);
  }

  private waitingEnvelopes(): number {
    const { maxEvents, maxGatheredBytes } = this.options.envelope;
    return Math.max((this.queue.length - this.head) / maxEvents, this.waitingBytes / maxGatheredBytes);
  }

  private enqueue(entry: Entry): void {
    this.queue.push(entry);
    this.queuedEvents += 1;
    this.queuedBytes += entry.outgoing.bytes;
    this.waitingBytes += sizeInEnvelope(entry.outgoing);
  }

  /** Pumps at the end of this turn of the event loop, so that requests that arrived together share an envelope. */
  private pumpSoon(): void {
    if (this.isPumping) return;
    this.isPumping = true;
    setImmediate(() => this.pump());
  }

  private pump(): void {
    this.isPumping = false;
    while (this.head < this.queue.length && this.inFlight < this.options.concurrency && this.isDue()) {
      const envelope = this.takeEnvelope();
      if (envelope.length > 0) void this.sendEnvelope(envelope);
    }
    if (this.head === this.queue.length) this.stopLinger();
    else if (this.inFlight < this.options.concurrency) this.startLinger();
    if (this.queuedEvents === 0 && this.inFlight === 0)
      for (const listener of this.idleListeners.splice(0)) listener();
  }

  private isDue(): boolean {
    const { maxEvents, maxGatheredBytes } = this.options.envelope;
    const isFull =
      this.queue.length - this.head >= maxEvents ||
      this.waitingBytes >= maxGatheredBytes - ENVELOPE_OVERHEAD_BYTES;
    return isFull || this.inFlight === 0 || this.isLingerOver || this.idleListeners.length > 0;
  }

  private startLinger(): void {
    this.linger ??= setTimeout(
      () => {
        this.isLingerOver = true;
        this.pump();
      },
      Math.max(this.options.lingerMs, this.pace.meanMs),
    );
  }

  private stopLinger(): void {
    clearTimeout(this.linger);
    this.linger = undefined;
    this.isLingerOver = false;
  }

  /** Takes as many queued events as fit, in order. Events whose request has given up are dropped. */
  private takeEnvelope(): Entry[] {
    const { maxEvents, maxGatheredBytes } = this.options.envelope;
    const taken: Entry[] = [];
    let bytes = ENVELOPE_OVERHEAD_BYTES;
    for (let entry = this.queue[this.head]; entry !== undefined; entry = this.queue[this.head]) {
      const size = sizeInEnvelope(entry.outgoing);
      const isGivenUp = entry.request.outcomes[entry.index] !== undefined;
      if (!isGivenUp && (taken.length >= maxEvents || bytes + size > maxGatheredBytes)) break;
      this.head += 1;
      this.waitingBytes -= size;
      if (isGivenUp) this.forget(entry);
      else {
        taken.push(entry);
        bytes += size;
      }
    }
    if (this.head === this.queue.length || this.head > 10_000) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
    return taken;
  }

  private async sendEnvelope(entries: readonly Entry[]): Promise<void> {
    this.inFlight += 1;
    const ended = this.pace.begin();
    const accepted = await this.send(entries.map((entry) => entry.outgoing));
    ended();
    this.inFlight -= 1;
    for (const [index, entry] of entries.entries()) {
      this.forget(entry);
      conclude(entry.request, entry.index, index < accepted ? "accepted" : "unavailable");
    }
    this.pump();
  }

  private forget(entry: Entry): void {
    this.queuedEvents -= 1;
    this.queuedBytes -= entry.outgoing.bytes;
  }

  /** Settles events without an outcome at the deadline as unavailable. Those still in the queue are not sent. */
  private giveUp(request: PublishRequest): void {
    for (const index of request.outcomes.keys()) conclude(request, index, "unavailable");
  }
}

/**
 * The outcome of one event.
 *
 * - `accepted`: the broker has accepted it.
 * - `too-large`: it does not fit into an envelope.
 * - `unavailable`: the broker did not confirm it in time. It may have accepted it, so the sender should send it again with
 *   the same id or idempotency key.
 */
export type PublishOutcome = "accepted" | "too-large" | "unavailable";

/** A call of `publish`, with the outcomes so far. */
interface PublishRequest {
  readonly outcomes: (PublishOutcome | undefined)[];
  open: number;
  readonly settle: () => void;
}

/** Records the outcome of one event of a request, unless it has one. The last one settles the request. */
function conclude(request: PublishRequest, index: number, outcome: PublishOutcome): void {
  if (request.outcomes[index] !== undefined) return;
  request.outcomes[index] = outcome;
  request.open -= 1;
  if (request.open === 0) request.settle();
}

/** Load of the publisher. */
export interface PublisherState {
  readonly queuedEvents: number;
  readonly queuedBytes: number;
  readonly envelopesInFlight: number;
  readonly maxQueuedEvents: number;
  readonly maxQueuedBytes: number;
}

/** Thrown when the queue is full. No event of the request was accepted; try again later. */
export class PublisherFullError extends Error {
  override readonly name = "PublisherFullError";
  readonly code = "PUBLISHER_FULL";

  constructor(events: number, bytes: number) {
    super(
      `The publish queue is full: it holds ${counted(events, "event")} (${counted(bytes, "byte")}) for the broker.`,
    );
  }
}

/** Thrown when the publisher is shutting down. */
export class PublisherClosedError extends Error {
  override readonly name = "PublisherClosedError";
  readonly code = "PUBLISHER_CLOSED";

  constructor() {
    super("The publisher is shutting down.");
  }
}
