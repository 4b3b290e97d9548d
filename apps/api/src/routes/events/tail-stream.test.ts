import { setImmediate as nextTurn } from "node:timers/promises";
import type { EventBatch } from "@synap/database";
import { createSynapEvent, type StoredEvent } from "@synap/types";
import { describe, expect, it } from "vitest";
import { Problem } from "../../problems/problem.ts";
import { type TailOptions, tailStream } from "./tail-stream.ts";

const stored = (position: number, content = "x"): StoredEvent => ({
  ...createSynapEvent({ type: "note.creation.requested", data: { content } }),
  position,
  streamVersion: 1,
  recordedAt: "2026-01-01T00:00:00.000Z",
});

const batch = (events: readonly StoredEvent[], position: number, after = 1023): EventBatch => ({
  after,
  events,
  position,
  caughtUp: true,
  watermark: 9215,
});

const options = (more: Partial<TailOptions> = {}): TailOptions => ({
  closing: new AbortController().signal,
  credential: () => () => {},
  onFault: (error) => ({ document: { code: String(error) } }),
  ...more,
});

/** Reads the text of a stream until it ends. */
async function all(stream: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(stream).text();
}

/** A subscription that never has anything, and ends as subscriptions do. */
async function* silent(signal: AbortSignal): AsyncGenerator<EventBatch, void, void> {
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
}

describe("a tail", () => {
  it("reads no more from the store than the client reads", async () => {
    let asked = 0;
    async function* endless(): AsyncGenerator<EventBatch, void, void> {
      for (;;) {
        asked += 1;
        yield batch([stored(asked * 1024)], asked * 1024);
      }
    }
    const reader = tailStream(endless, options()).getReader();
    // Nothing here waits for a timer or a socket, so any further read would happen by the next turn.
    await nextTurn();
    expect(asked).toBe(0);
    for (let taken = 0; taken < 5; taken += 1) await reader.read();
    await nextTurn();
    expect(asked).toBeLessThanOrEqual(6);
    await reader.cancel();
  });

  it("writes each event on one line, with its position as the id", async () => {
    const event = stored(2048, 'line\nbreak \u2028 "quoted"\r\n\r\nid: 7');
    async function* one(): AsyncGenerator<EventBatch, void, void> {
      yield batch([event], 3071);
      yield batch([], 4095, 3071);
    }
    const [, begin, first, ...progress] = (await all(tailStream(one, options()))).split("\n\n");
    const data = (after: number, number: number, position: number, caughtUp = true, end?: number) =>
      `id: ${position}\nevent: progress\ndata: ${JSON.stringify({ after, number, position, caughtUp, end })}`;
    expect(begin).toBe(data(1023, 0, 1023, false, 9215));
    expect(first).toBe(`id: 2048\ndata: ${JSON.stringify({ number: 1, after: 1023, event })}`);
    expect(progress).toEqual([data(2048, 1, 3071), data(3071, 1, 4095), ""]);
  });

  it("sends heartbeats, so that no proxy closes the connection", async () => {
    let text = "";
    for await (const chunk of tailStream(silent, options({ heartbeatMs: 5 }))) {
      text += new TextDecoder().decode(chunk);
      if ((text.match(/^: /gm) ?? []).length > 2) break;
    }
    expect(text.match(/^: /gm)?.length).toBeGreaterThan(2);
  });

  it("adds one listener to the subscription, not one for each heartbeat", async () => {
    let reactions = 0;
    const pending = new Promise<IteratorResult<EventBatch>>(() => {});
    const observed = Object.assign(pending, {
      // biome-ignore lint/suspicious/noThenProperty: counts who waits for this promise
      then: (...args: Parameters<typeof pending.then>) => {
        reactions += 1;
        return Promise.prototype.then.apply(pending, args);
      },
    });
    const subscription = () => ({ [Symbol.asyncIterator]: () => ({ next: () => observed }) });
    const reader = tailStream(subscription, options({ heartbeatMs: 1 })).getReader();
    for (let heartbeats = 0; heartbeats < 10; heartbeats += 1) await reader.read();
    await reader.cancel();
    expect(reactions).toBe(1);
  });

  it("ends with the reason when reading fails", async () => {
    // biome-ignore lint/correctness/useYield: it fails before it has anything
    async function* broken(): AsyncGenerator<EventBatch, void, void> {
      throw new Error("the database is away");
    }
    expect(await all(tailStream(broken, options()))).toContain(
      'event: problem\ndata: {"code":"Error: the database is away"}\n\n',
    );
  });

  it("ends with the reason when its credential ends, in the middle of what was read before", async () => {
    let end = (_: Problem): void => {};
    let isWatched = false;
    const credential = (onEnd: typeof end) => {
      end = onEnd;
      isWatched = true;
      return () => {
        isWatched = false;
      };
    };
    async function* large(): AsyncGenerator<EventBatch, void, void> {
      yield batch(
        [1, 2, 3].map((at) => stored(1024 + at, "x".repeat(70_000))),
        2047,
      );
    }
    const reader = tailStream(large, options({ credential })).getReader();
    await reader.read();
    await reader.read();
    end(new Problem("credential-ended", "over"));
    const { value } = await reader.read();
    expect(new TextDecoder().decode(value)).toMatch(/^event: problem\ndata: .*over/);
    expect(await reader.read()).toMatchObject({ done: true });
    expect(isWatched).toBe(false);
  });

  it("ends the subscription when the client leaves, and does not begin one when the process is closing", async () => {
    const ended: string[] = [];
    async function* subscription(signal: AbortSignal): AsyncGenerator<EventBatch, void, void> {
      try {
        if (!signal.aborted) yield* silent(signal);
      } finally {
        ended.push(signal.aborted ? "ended" : "left");
      }
    }
    const reader = tailStream(subscription, options({ heartbeatMs: 5 })).getReader();
    await reader.read();
    await reader.read();
    await reader.cancel();
    expect(ended).toEqual(["ended"]);
    expect(await all(tailStream(subscription, options({ closing: AbortSignal.abort() })))).toBe(
      "retry: 1000\n\n",
    );
  });
});
