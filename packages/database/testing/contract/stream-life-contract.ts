import type { StoredEvent } from "@synap/types";
import { expect } from "vitest";
import { OptimisticLockError, StreamClosedError, StreamNotFoundError } from "../../src/index.ts";
import { noteEvent } from "../test-events.ts";
import type { ContractTest } from "./contract-tests.ts";
import { freshStream, streamEvent, streamOf } from "./streams-contract.ts";

/** Reading streams and closing them. */
export function streamLifeContract(test: ContractTest): void {
  test("closes a stream at the expected version, once, for every kind of append", async (store) => {
    const stream = await streamOf(store, 2);
    await expect(store.closeStream(stream, 1)).rejects.toMatchObject({ stream, expected: 1, actual: 2 });
    await expect(store.closeStream(stream, "no-stream")).rejects.toThrow(OptimisticLockError);
    await store.closeStream(stream, 2);
    const closed = await store.getStream(stream);
    expect(closed).toEqual({ streamVersion: 2, closedAt: expect.stringMatching(/Z$/) });
    await store.closeStream(stream, "any");
    expect(await store.getStream(stream)).toEqual(closed);

    for (const expected of ["any", 2] as const) {
      const refused = store.appendToStream(stream, expected, [streamEvent()]);
      await expect(refused).rejects.toThrow(StreamClosedError);
      await expect(refused).rejects.toMatchObject({ code: "STREAM_CLOSED", stream });
    }
    const other = await store.append(noteEvent({ aggregateId: stream.aggregateId }));
    expect(other).toMatchObject({ status: "rejected", issues: [{ code: "stream-closed" }] });
    expect((await collect(store.readStream(stream))).length).toBe(2);
  });

  test("refuses to close a stream that doesn't exist", async (store) => {
    for (const expected of ["any", "no-stream", 0] as const) {
      await expect(store.closeStream(freshStream(), expected)).rejects.toThrow(StreamNotFoundError);
    }
    await expect(store.closeStream(freshStream(), 3)).rejects.toMatchObject({ expected: 3, actual: 0 });
  });

  test("reads a stream from and to any version, in either direction, with any page size", async (store) => {
    const stream = await streamOf(store, 7);
    const all = await collect(store.readStream(stream));
    expect(all.map((event) => event.streamVersion)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(all[0]).toEqual(await store.getById(all[0]?.id ?? ""));
    for (const pageSize of [1, 2, 3, 7, 100]) {
      for (const [fromVersion, toVersion] of [
        [1, 7],
        [3, 5],
        [0, 2],
        [6, 99],
        [5, 4],
        [8, 9],
      ] as const) {
        const expected = all.filter(({ streamVersion: v }) => v >= fromVersion && v <= toVersion);
        const read = { fromVersion, toVersion, pageSize };
        expect(await collect(store.readStream(stream, read))).toEqual(expected);
        const backwards = await collect(store.readStream(stream, { ...read, direction: "backwards" }));
        expect(backwards).toEqual(expected.reverse());
      }
    }
    expect(await collect(store.readStream(freshStream()))).toEqual([]);
    await expect(collect(store.readStream(stream, { pageSize: 0 }))).rejects.toThrow(RangeError);
    await expect(collect(store.readStream(stream, { fromVersion: -1 }))).rejects.toThrow(RangeError);
  });

  test("reads a stream whose events are years apart and not in the order of time", async (store) => {
    const stream = freshStream();
    const years = [2019, 2001, 2024, 2010];
    for (const year of years) {
      const event = { ...streamEvent(), timestamp: `${year}-06-01T12:00:00.000Z` };
      await store.appendToStream(stream, "any", [event], { timestamps: "backfill" });
    }
    const read = await collect(store.readStream(stream, { pageSize: 3 }));
    expect(read.map((event) => Number(event.timestamp.slice(0, 4)))).toEqual(years);
  });

  test("reads any page of a long stream, with evenly and unevenly distributed events", async (store) => {
    const days = {
      even: Array.from({ length: 40 }, (_, index) => index * 10),
      uneven: Array.from({ length: 40 }, (_, index) => (index < 30 ? (index * 7) % 5 : 400 - index)),
    };
    for (const offsets of Object.values(days)) {
      const stream = freshStream();
      const start = Date.UTC(2022, 0, 1);
      const events = offsets.map((day) => ({
        ...streamEvent(),
        timestamp: new Date(start + day * 86_400_000).toISOString(),
      }));
      await store.appendToStream(stream, 0, events, { timestamps: "backfill" });
      for (const pageSize of [3, 17]) {
        for (const direction of ["forwards", "backwards"] as const) {
          const ids = (await collect(store.readStream(stream, { pageSize, direction }))).map(({ id }) => id);
          if (direction === "backwards") ids.reverse();
          expect(ids).toEqual(events.map(({ id }) => id));
        }
      }
    }
  });

  test("ends at the version that the stream had when reading began", async (store) => {
    const stream = await streamOf(store, 3);
    const versions: number[] = [];
    for await (const event of store.readStream(stream, { pageSize: 1 })) {
      versions.push(event.streamVersion);
      if (versions.length < 10) await store.appendToStream(stream, "any", [streamEvent()]);
    }
    expect(versions).toEqual([1, 2, 3]);
  });
}

async function collect(events: AsyncIterable<StoredEvent>): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}
