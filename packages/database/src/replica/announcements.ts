import { notify } from "../observers.ts";

/** Listeners that are called once what was announced can be read. */
export interface Announcements {
  /** Returns a function that removes the listener. */
  add(listener: () => void): () => void;
  /** Announces something new. What is announced in the meantime is waited for together. */
  announce(): void;
}

/** @param readable waits until everything announced so far can be read, for a bounded time; never rejects */
export function createAnnouncements(readable: () => Promise<unknown>): Announcements {
  const listeners = new Set<() => void>();
  let isPending = false;
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    while (isPending) {
      isPending = false;
      await readable();
      for (const listener of listeners) notify(listener);
    }
    isRunning = false;
  }

  return {
    add(onAnnounced) {
      // One function may be added more than once.
      const listener = () => onAnnounced();
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    announce() {
      isPending = true;
      if (!isRunning) void run();
    },
  };
}
