import { setTimeout as sleep } from "node:timers/promises";
import type { ModelPosition, WrittenModel } from "./model-position.ts";

/** Thrown when a read model has not reached a position in time. */
export class PositionNotReachedError extends Error {
  override readonly name = "PositionNotReachedError";
  readonly code = "POSITION_NOT_REACHED";
  /** The position that was waited for. */
  readonly position: number;
  /** The position that the read model has reached. */
  readonly reached: number;

  constructor({ path }: WrittenModel, position: number, { position: reached, writer }: ModelPosition) {
    const last = writer === undefined ? "The log is complete up to" : `"${writer}" has handled the log up to`;
    super(`The read model "${path}" has not reached position ${position}. ${last} position ${reached}.`);
    this.position = position;
    this.reached = reached;
  }
}

/** Bounds of a wait for a position. */
export interface PositionWait {
  /** Milliseconds; 0 to look once. */
  readonly waitMs: number;
  /** Ends the wait, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link createPositionWatch}. */
export interface PositionWatchOptions {
  /** Reads the progress of several read models at once. */
  readonly look: (models: readonly WrittenModel[]) => Promise<ReadonlyMap<WrittenModel, ModelPosition>>;
  /** Maximum number of waits at a time. The next one looks once, and does not wait. */
  readonly maxWaiting: number;
}

/** Waiting for the positions of read models. */
export interface PositionWatch {
  /** Waits until a read model has reached a position. @throws PositionNotReachedError, and the signal's reason */
  reach(model: WrittenModel, position: number, wait: PositionWait): Promise<void>;
}

interface Waiter {
  readonly model: WrittenModel;
  /** Takes what a look has found, and leaves if that is enough, or time is up. */
  readonly show: (found: ModelPosition) => void;
  readonly fail: (reason: unknown) => void;
}

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 100;

/** Makes the watch of a process. However many wait, there is one look at a time, at growing intervals, and none while nobody waits. */
export function createPositionWatch({ look, maxWaiting }: PositionWatchOptions): PositionWatch {
  const waiting = new Set<Waiter>();
  let isLooking = false;
  let pauseMs = FIRST_PAUSE_MS;

  async function lookOnce(): Promise<void> {
    // Those that come during the look wait for the next one: what it finds may be older than they are.
    const present = [...waiting];
    try {
      const found = await look([...new Set(present.map(({ model }) => model))]);
      for (const waiter of present) {
        const at = found.get(waiter.model);
        if (at !== undefined) waiter.show(at);
      }
    } catch (error) {
      for (const waiter of present) waiter.fail(error);
    }
  }

  async function lookWhileAnyWaits(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    while (waiting.size > 0) {
      await lookOnce();
      if (waiting.size === 0) break;
      await sleep(pauseMs);
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 1.5);
    }
    isLooking = false;
  }

  return {
    async reach(model, position, { waitMs, signal }) {
      signal?.throwIfAborted();
      let isOver = waitMs <= 0 || waiting.size >= maxWaiting;
      let last: ModelPosition | undefined;
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", abort);
          waiting.delete(waiter);
        };
        const fail = (reason: unknown) => {
          leave();
          reject(reason);
        };
        const judge = () => {
          if (last === undefined) return;
          if (last.position >= position) {
            leave();
            resolve();
          } else if (isOver) fail(new PositionNotReachedError(model, position, last));
        };
        const waiter: Waiter = {
          model,
          fail,
          show(found) {
            last = found;
            judge();
          },
        };
        const abort = () => fail(signal?.reason);
        const timer = setTimeout(() => {
          isOver = true;
          judge();
        }, waitMs);
        signal?.addEventListener("abort", abort);
        waiting.add(waiter);
        pauseMs = FIRST_PAUSE_MS;
        void lookWhileAnyWaits();
      });
    },
  };
}
