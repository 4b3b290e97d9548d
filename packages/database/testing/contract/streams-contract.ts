import { randomUUID } from "node:crypto";
import { EventValidationError, type ExpectedVersion, type StreamName } from "@synap/types";
import { expect } from "vitest";
import { EventIdConflictError, type EventStore, OptimisticLockError } from "../../src/index.ts";
import type { ContractTest } from "./contract-tests.ts";
import { endOf, readFrom } from "./history.ts";

/** Creates a new stream name. */
export function freshStream(): StreamName {
  return { aggregateType: "note", aggregateId: randomUUID() };
}

/** Creates an event that can be appended repeatedly. */
export function streamEvent(more: { id?: string; data?: { content: string }; idempotencyKey?: string } = {}) {
  return { id: randomUUID(), type: "note.creation.requested", data: { content: "Call Acme" }, ...more };
}

/** Creates a stream with a number of events. */
export const streamOf = async (store: EventStore, length: number): Promise<StreamName> => {
  const stream = freshStream();
  const events = Array.from({ length }, () => streamEvent());
  if (length > 0) await store.appendToStream(stream, "no-stream", events);
  return stream;
};

/** Appending to streams: expected versions, repetitions, several streams at once. */
export function streamsContract(test: ContractTest): void {
  test("accepts matching expected versions, and stores consecutive versions", async (store) => {
    const matching: [ExpectedVersion, number][] = [
      ["any", 0],
      ["any", 2],
      ["no-stream", 0],
      ["stream-exists", 2],
      [0, 0],
      [2, 2],
    ];
    for (const [expected, length] of matching) {
      const stream = await streamOf(store, length);
      const result = await store.appendToStream(stream, expected, [streamEvent(), streamEvent()]);
      expect(result.events.map((event) => event.streamVersion)).toEqual([length + 1, length + 2]);
      expect(result).toMatchObject({
        stream,
        streamVersion: length + 2,
        position: result.events[1]?.position,
      });
      expect(await store.getStream(stream)).toEqual({ streamVersion: length + 2 });
    }
  });

  test("refuses a wrong expected version, naming both versions, and stores nothing", async (store) => {
    const conflicting: [ExpectedVersion, number][] = [
      ["no-stream", 2],
      ["stream-exists", 0],
      [1, 2],
      [3, 2],
      [1, 0],
    ];
    for (const [expected, actual] of conflicting) {
      const stream = await streamOf(store, actual);
      const refused = store.appendToStream(stream, expected, [streamEvent()]);
      await expect(refused).rejects.toThrow(OptimisticLockError);
      await expect(refused).rejects.toMatchObject({ code: "OPTIMISTIC_LOCK", stream, expected, actual });
      expect(await store.getStream(stream)).toEqual(actual === 0 ? undefined : { streamVersion: actual });
    }
    for (const expected of [-1, 1.5, Number.NaN]) {
      await expect(store.appendToStream(freshStream(), expected, [streamEvent()])).rejects.toThrow(
        RangeError,
      );
    }
  });

  test("lets one of several appends that expect the same version succeed, and `any` never conflict", async (store) => {
    const stream = await streamOf(store, 1);
    const race = await Promise.allSettled(
      Array.from({ length: 6 }, () => store.appendToStream(stream, 1, [streamEvent()])),
    );
    expect(race.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const each of race) {
      if (each.status === "rejected") expect(each.reason).toMatchObject({ expected: 1, actual: 2 });
    }
    const any = Array.from({ length: 6 }, () => store.appendToStream(stream, "any", [streamEvent()]));
    const versions = (await Promise.all(any)).map((result) => result.streamVersion);
    expect(versions.sort((one, other) => one - other)).toEqual([3, 4, 5, 6, 7, 8]);
  });

  test("always answers a repeated append with its first result", async (store) => {
    const stream = freshStream();
    const events = [streamEvent(), streamEvent(), streamEvent()];
    const first = await store.appendToStream(stream, "no-stream", events);
    const again = { ...first, events: first.events.map((event) => ({ ...event, duplicate: true })) };
    expect(await store.appendToStream(stream, "no-stream", events)).toEqual(again);
    await store.appendToStream(stream, 3, [streamEvent()]);
    expect(await store.appendToStream(stream, "no-stream", events)).toEqual(again);
    await store.closeStream(stream, 4);
    expect(await store.appendToStream(stream, "no-stream", events)).toEqual(again);
    expect(await store.getStream(stream)).toMatchObject({ streamVersion: 4 });
  });

  test("refuses an append of which only a part is already stored, unless its expected version matches", async (store) => {
    const stream = freshStream();
    const [one, two] = [streamEvent(), streamEvent()];
    await store.appendToStream(stream, 0, [one]);
    await expect(store.appendToStream(stream, 0, [one, two])).rejects.toMatchObject({ actual: 1 });
    const result = await store.appendToStream(stream, 1, [one, two]);
    expect(result.events).toMatchObject([
      { streamVersion: 1, duplicate: true },
      { streamVersion: 2, duplicate: false },
    ]);
  });

  test("refuses an id that is taken by another event, for any expected version", async (store) => {
    const stream = freshStream();
    const event = streamEvent();
    await store.appendToStream(stream, 0, [event]);
    const other = { ...event, data: { content: "Another" } };
    for (const expected of ["any", 0, 1] as const) {
      const refused = store.appendToStream(stream, expected, [streamEvent(), other]);
      await expect(refused).rejects.toThrow(EventIdConflictError);
      await expect(refused).rejects.toMatchObject({ code: "EVENT_ID_CONFLICT", id: event.id });
    }
    await expect(store.appendToStream(freshStream(), "any", [event])).rejects.toThrow(EventIdConflictError);
    await expect(store.appendToStream(stream, "any", [other, event])).rejects.toThrow(EventIdConflictError);
    expect(await store.getStream(stream)).toEqual({ streamVersion: 1 });
  });

  test("treats a repeated idempotency key as a duplicate within its stream, and refuses it in another", async (store) => {
    const stream = freshStream();
    const idempotencyKey = randomUUID();
    const first = await store.appendToStream(stream, 0, [streamEvent({ idempotencyKey })]);
    const again = await store.appendToStream(stream, 0, [streamEvent({ idempotencyKey })]);
    expect(again).toEqual({ ...first, events: first.events.map((event) => ({ ...event, duplicate: true })) });
    const elsewhere = store.appendToStream(freshStream(), "any", [streamEvent({ idempotencyKey })]);
    await expect(elsewhere).rejects.toThrow(EventIdConflictError);
    const [key, two] = [randomUUID(), freshStream()];
    const both = store.appendToStreams([
      { stream, expectedVersion: 1, events: [streamEvent({ idempotencyKey: key })] },
      { stream: two, expectedVersion: "any", events: [streamEvent({ idempotencyKey: key })] },
    ]);
    await expect(both).rejects.toThrow(EventIdConflictError);
    expect(await store.getStream(stream)).toEqual({ streamVersion: 1 });
  });

  test("reports the issues of each event, and stores none of them", async (store) => {
    const stream = freshStream();
    const bad = { type: "note.creation.requested", data: { content: 7 } };
    const old = { ...streamEvent(), timestamp: "1999-12-31T23:59:59.999Z" };
    const refused = store.appendToStream(stream, "any", [streamEvent(), bad, old]);
    await expect(refused).rejects.toThrow(EventValidationError);
    await expect(refused).rejects.toMatchObject({
      issues: [
        { path: "events[1].data.content" },
        { path: "events[2].timestamp", code: "timestamp-too-old" },
      ],
    });
    const second = store.appendToStreams([
      { stream, expectedVersion: "any", events: [streamEvent()] },
      { stream: freshStream(), expectedVersion: "any", events: [bad] },
    ]);
    await expect(second).rejects.toMatchObject({ issues: [{ path: "appends[1].events[0].data.content" }] });
    const invalid = JSON.parse(
      '{"type":"note.creation.requested","data":{"content":"x"},"userId":null,"colour":1}',
    );
    await expect(store.appendToStream(stream, "any", [invalid])).rejects.toMatchObject({
      issues: expect.arrayContaining([
        expect.objectContaining({ path: "events[0].userId" }),
        expect.objectContaining({ path: "events[0].colour", code: "unknown-field" }),
      ]),
    });
    const elsewhere = { ...streamEvent(), aggregateId: "another" };
    await expect(store.appendToStream(stream, "any", [elsewhere])).rejects.toMatchObject({
      issues: [{ path: "events[0].aggregateId", code: "stream-mismatch" }],
    });
    expect(await store.getStream(stream)).toBeUndefined();
    const backfill = await store.appendToStream(stream, "any", [old], { timestamps: "backfill" });
    expect(backfill.streamVersion).toBe(1);
  });

  test("appends to several streams all or nothing, in the order given", async (store) => {
    const [one, two] = [await streamOf(store, 1), freshStream()];
    const start = await endOf(store);
    const appends = (expected: ExpectedVersion) => [
      { stream: two, expectedVersion: "no-stream" as const, events: [streamEvent(), streamEvent()] },
      { stream: one, expectedVersion: expected, events: [streamEvent()] },
    ];
    await expect(store.appendToStreams(appends(2))).rejects.toMatchObject({
      stream: one,
      expected: 2,
      actual: 1,
    });
    expect(await store.getStream(two)).toBeUndefined();
    const results = await store.appendToStreams(appends(1));
    expect(results).toMatchObject([
      { stream: two, streamVersion: 2 },
      { stream: one, streamVersion: 2 },
    ]);
    const stored = (await readFrom(store, start)).map((event) => event.id);
    expect(stored).toEqual(results.flatMap((result) => result.events.map((event) => event.id)));
  });

  test("checks streams that it does not append to, and does not create them", async (store) => {
    const [written, watched] = [freshStream(), await streamOf(store, 2)];
    const absent = freshStream();
    const append = (checks: { stream: StreamName; expectedVersion: ExpectedVersion }[]) =>
      store.appendToStreams([{ stream: written, expectedVersion: "any", events: [streamEvent()] }], {
        checks,
      });
    await append([
      { stream: watched, expectedVersion: 2 },
      { stream: absent, expectedVersion: "no-stream" },
    ]);
    expect(await store.getStream(absent)).toBeUndefined();
    expect(await store.getStream(watched)).toEqual({ streamVersion: 2 });
    await expect(append([{ stream: watched, expectedVersion: 1 }])).rejects.toMatchObject({
      stream: watched,
      actual: 2,
    });
    await expect(append([{ stream: absent, expectedVersion: "stream-exists" }])).rejects.toMatchObject({
      actual: 0,
    });
    expect(await store.getStream(written)).toEqual({ streamVersion: 1 });
  });

  test("refuses an invalid call", async (store) => {
    const stream = freshStream();
    const append = { stream, expectedVersion: "any" as const, events: [streamEvent()] };
    await expect(store.appendToStreams([])).rejects.toThrow(RangeError);
    await expect(store.appendToStream(stream, "any", [])).rejects.toThrow(RangeError);
    await expect(store.appendToStreams([append, { ...append, events: [streamEvent()] }])).rejects.toThrow(
      RangeError,
    );
    await expect(store.appendToStreams([append], { checks: [append] })).rejects.toThrow(RangeError);
    const many = Array.from({ length: 1025 }, () => streamEvent());
    await expect(store.appendToStream(stream, "any", many)).rejects.toThrow(RangeError);
    const result = await store.appendToStream(stream, "any", many.slice(1));
    expect(result.streamVersion).toBe(1024);
  });
}
