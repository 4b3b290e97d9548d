import { setTimeout as sleep } from "node:timers/promises";
import { seedCatalogue } from "@synap/types";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvent, noteEvents } from "../../testing/test-events.ts";
import { createEventStore, createMemoryEventStore } from "../internal.ts";
import { type SubscriptionSource, subscribeToAll } from "./subscribe-to-all.ts";

// The behaviour on any store is in the contract (testing/contract); these tests cover the number of reads.
describe("a subscription", () => {
  const recorded = () => {
    const store = createMemoryEventStore({ catalogue: seedCatalogue });
    const calls = { reads: 0, listeners: 0 };
    let wake: (() => void) | undefined;
    const source: SubscriptionSource = {
      readAll: (request) => {
        calls.reads += 1;
        return store.readAll(request);
      },
      listen: async (onAppend) => {
        calls.listeners += 1;
        wake = onAppend;
        return async () => {
          calls.listeners -= 1;
        };
      },
    };
    return { store, source, calls, wake: () => wake?.() };
  };

  it("reads a batch when it is pulled, and not before", async () => {
    const { store, source, calls } = recorded();
    await store.appendBatch(noteEvents(4));
    const iterator = subscribeToAll(source, { from: "start", batchSize: 1 })[Symbol.asyncIterator]();
    expect(calls).toEqual({ reads: 0, listeners: 0 });
    for (let pull = 1; pull <= 4; pull += 1) {
      await iterator.next();
      await sleep(5);
      expect(calls.reads).toBe(pull);
    }
    await iterator.return?.();
    expect(calls.listeners).toBe(0);
  });

  it("finds events without a wake-up, by polling", async () => {
    const { store, source } = recorded();
    const batches = subscribeToAll(source, { from: "start", pollInterval: 25 })[Symbol.asyncIterator]();
    expect((await batches.next()).value).toMatchObject({ events: [], caughtUp: true });
    const next = batches.next();
    await sleep(10);
    await store.append(noteEvent());
    expect((await next).value).toMatchObject({ events: [{ type: "note.creation.requested" }] });
    await batches.return?.();
  });

  it("polls rarely while idle, and reads at once when woken", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const { store, source, calls, wake } = recorded();
    const batches = subscribeToAll(source, { from: "start", pollInterval: 60_000 })[Symbol.asyncIterator]();
    await batches.next();
    const next = batches.next();
    await vi.advanceTimersByTimeAsync(200);
    expect(calls.reads).toBeLessThan(8);
    await store.append(noteEvent());
    wake();
    // The clock stands still from here on, so only the notification can wake it.
    expect((await next).value).toMatchObject({ events: [{ type: "note.creation.requested" }] });
    await batches.return?.();
  });

  it("fails on iteration when it cannot read, and stops listening", async () => {
    const { source, calls } = recorded();
    const broken = { ...source, readAll: () => Promise.reject(new Error("away")) };
    for (const from of ["start", "now"] as const) {
      const batches = subscribeToAll(broken, { from })[Symbol.asyncIterator]();
      await expect(batches.next()).rejects.toThrow("away");
      expect(calls.listeners).toBe(0);
    }
  });
});

describeOnEveryEngine("a subscription to a database", (engine) => {
  it("is woken by the commit, without polling", async () => {
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    const abort = new AbortController();
    onTestFinished(() => abort.abort());
    const batches = store
      .subscribeToAll({ from: "now", pollInterval: 60_000, signal: abort.signal })
      [Symbol.asyncIterator]();
    await batches.next();
    // The clock stands still from here on, so the subscription never polls: only the notification can wake it.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const next = batches.next();
    const event = noteEvent();
    await store.append(event);
    expect((await next).value).toMatchObject({ events: [{ id: event.id }] });
    vi.useRealTimers();
    await batches.return?.();
  });
});
