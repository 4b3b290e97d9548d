import type { BatchItem } from "../queue/batch-items.ts";
import type { QueueClock } from "../queue/queue-clock.ts";
import type { FunctionRegistry } from "../registration/function-registry.ts";

/** A batch that is full or whose time is up. */
export interface ReadyBatch {
  readonly functionId: string;
  readonly batchKey: string;
  readonly eventIds: readonly string[];
}

interface OpenBatch extends ReadyBatch {
  readonly eventIds: string[];
  readonly dueAt: number;
  bytes: number;
}

/** A batch's bodies travel in one request: beyond this many bytes it goes out before it is full. */
const MAX_BATCH_BYTES = 10 * 1024 * 1024;
/** A timer is never set for longer: timers stand still while the machine sleeps. */
const LONGEST_TIMER = 60_000;
/** A flush that failed, or whose function is not registered any more, is tried again after this long. */
const RETRY_FLUSH = 1_000;

/**
 * The batches being filled, in memory over the stored items. The time of a batch runs from its first event.
 */
export class Batches {
  readonly #registry: FunctionRegistry;
  readonly #clock: Pick<QueueClock, "now">;
  readonly #flush: (batch: ReadyBatch) => Promise<void>;
  readonly #open = new Map<string, OpenBatch>();
  readonly #flushing = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param flush starts the batch's run; when it fails the batch is tried again */
  constructor(
    registry: FunctionRegistry,
    clock: Pick<QueueClock, "now">,
    flush: (batch: ReadyBatch) => Promise<void>,
  ) {
    this.#registry = registry;
    this.#clock = clock;
    this.#flush = flush;
  }

  /** Adds stored items to their batches and starts those that are full. */
  add(items: readonly BatchItem[]): void {
    for (const item of items) {
      const config = this.#registry.get(item.functionId)?.batch;
      const name = `${item.functionId} ${item.batchKey}`;
      const batch = this.#open.get(name) ?? {
        functionId: item.functionId,
        batchKey: item.batchKey,
        eventIds: [],
        bytes: 0,
        dueAt: item.arrivedAt + (config?.timeout ?? 0),
      };
      this.#open.set(name, batch);
      batch.eventIds.push(item.eventId);
      batch.bytes += item.bytes;
      if (batch.eventIds.length >= (config?.maxSize ?? Infinity) || batch.bytes > MAX_BATCH_BYTES) {
        this.#release(name, batch);
      }
    }
    this.#setTimer();
  }

  /** Starts nothing more, and waits for the batches being started. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#flushing);
  }

  #release(name: string, batch: OpenBatch): void {
    this.#open.delete(name);
    if (this.#stopped) return;
    const flushing = this.#flush(batch).catch(() => {
      setTimeout(() => this.#release(name, batch), RETRY_FLUSH).unref();
    });
    this.#flushing.add(flushing);
    void flushing.finally(() => this.#flushing.delete(flushing));
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    if (this.#open.size === 0 || this.#stopped) return;
    const next = Math.min(...[...this.#open.values()].map(({ dueAt }) => dueAt));
    this.#timer = setTimeout(
      () => {
        for (const [name, batch] of this.#open)
          if (batch.dueAt <= this.#clock.now()) this.#release(name, batch);
        this.#setTimer();
      },
      Math.min(Math.max(next - this.#clock.now(), 0), LONGEST_TIMER),
    );
    this.#timer.unref();
  }
}
