import { type StreamName, seedCatalogue } from "@synap/types";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { countCalls } from "../../testing/count-calls.ts";
import {
  createTestDatabase,
  HOLDER_NAME,
  holdStreams,
  serverUrl,
  type TestDatabase,
  testEngines,
} from "../../testing/index.ts";
import { noteEvent } from "../../testing/test-events.ts";
import { type Database, openDatabase, StreamLockedError, transactionFromPostgres } from "../index.ts";
import { createEventStore, isConflict, isTransient, lockHolders } from "../internal.ts";

/** More appends than there are connections for writing. */
const MANY = 14;
/** Lock timeout that no test reaches, so that only the release of the lock ends the wait. */
const ENDLESS = 120_000;

describe.runIf(testEngines().includes("server"))("a stream that another session has locked", () => {
  let test: TestDatabase;
  let url = "";
  beforeAll(async () => {
    test = await createTestDatabase("server");
    url = serverUrl(test);
  });
  afterAll(() => test.drop());

  const storeOn = (database: Database) => createEventStore({ database, catalogue: seedCatalogue });

  async function open(lockTimeout: number, maxConnections = 5) {
    const database = await openDatabase({ ...test.options, maxConnections, lockTimeout });
    onTestFinished(() => database.close());
    return { database, store: storeOn(database) };
  }

  async function newStream(): Promise<StreamName> {
    const { aggregateType, aggregateId } = noteEvent();
    await storeOn(test.database).append(noteEvent({ aggregateType, aggregateId }));
    return { aggregateType, aggregateId };
  }

  async function hold(...streams: StreamName[]) {
    const held = await holdStreams(url, streams);
    onTestFinished(() => held.release());
    return held;
  }

  async function waitingSessions(count: number): Promise<void> {
    const waiting = () =>
      test.database.query(
        "SELECT FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')",
      );
    await expect.poll(async () => (await waiting()).length).toBe(count);
  }

  const inputOf = ({ id, type, data } = noteEvent()) => ({ id, type, data });
  const versionOf = async (stream: StreamName) =>
    (await storeOn(test.database).getStream(stream))?.streamVersion;

  it("makes appends fail after the lock timeout, with a typed error that names it and nothing stored", async () => {
    const { store } = await open(200);
    const stream = await newStream();
    const held = await hold(stream);
    const other = await newStream();
    const appends: (() => Promise<unknown>)[] = [
      () => store.append(noteEvent(stream)),
      () => store.appendToStream(stream, "any", [inputOf()]),
      () => store.appendToStream(stream, 1, [inputOf()]),
      () =>
        store.appendToStreams([
          { stream: other, expectedVersion: "any", events: [inputOf()] },
          { stream, expectedVersion: "any", events: [inputOf()] },
        ]),
      () =>
        store.appendToStreams([{ stream: other, expectedVersion: "any", events: [inputOf()] }], {
          checks: [{ stream, expectedVersion: "stream-exists" }],
        }),
      () => store.appendBatch([noteEvent(other), noteEvent(stream)]),
      () => store.closeStream(stream, "any"),
    ];
    // One after the other, because waiting appends keep the locks they hold.
    for (const append of appends) {
      const error: unknown = await append().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(StreamLockedError);
      expect(error).toMatchObject({ code: "STREAM_LOCKED", streams: [stream] });
      expect(String(error)).toContain(stream.aggregateId);
      expect([isTransient(error), isConflict(error)]).toEqual([true, false]);
    }
    expect([await versionOf(stream), await versionOf(other)]).toEqual([1, 1]);
    await held.release();
    expect((await store.append(noteEvent(stream))).status).toBe("stored");
  });

  it("is named even if the other session has just created it", async () => {
    const { database, store } = await open(200);
    const [made, other] = [noteEvent(), noteEvent()];
    const { aggregateType, aggregateId } = made;
    await test.database.transaction(async (transaction) => {
      await storeOn(test.database).append(made, { transaction });
      const refused = store.appendBatch([noteEvent({ aggregateType, aggregateId }), other]);
      await expect(refused).rejects.toMatchObject({ streams: [{ aggregateType, aggregateId }] });
    });
    expect(await database.query("SELECT FROM synap.streams WHERE version = 0")).toEqual([]);
  });

  it("blocks no reads and no appends to other streams while more appends wait than there are connections", async () => {
    const { database, store } = await open(ENDLESS);
    const [stream, other] = [await newStream(), await newStream()];
    const held = await hold(stream);
    const done: string[] = [];
    const waiting = Array.from({ length: MANY }, async (_, index) => {
      if (index % 2 === 0) await store.append(noteEvent(stream));
      else await store.appendToStream(stream, "any", [inputOf()]);
      done.push("waited");
    });
    await waitingSessions(1);
    for (let round = 0; round < 3; round += 1) {
      await store.append(noteEvent(other));
      await store.appendToStream(other, "any", [inputOf()]);
      await store.readStreamPage(other);
      await store.query({ aggregateId: other.aggregateId }, { limit: 10, order: "asc" });
      await store.readAll({ after: 0, limit: 10 });
      await database.query("SELECT 1");
      done.push("other");
    }
    expect(done).toEqual(["other", "other", "other"]);
    // The notification of an append is sent after its answer, and takes a connection for a moment.
    await expect
      .poll(() => database.connections())
      .toMatchObject([
        { purpose: "reads", max: 2, busy: 0 },
        { purpose: "writes", max: 3 },
      ]);
    await held.release();
    await Promise.all(waiting);
    expect(await versionOf(stream)).toBe(1 + MANY);
  });

  it("blocks no reads while waiting transactions hold every connection for writing", async () => {
    const { database, store } = await open(ENDLESS);
    const stream = await newStream();
    const held = await hold(stream);
    const waiting = Array.from({ length: MANY }, () =>
      database.transaction((transaction) => store.append(noteEvent(stream), { transaction })),
    );
    await waitingSessions(3);
    await store.readStreamPage(stream);
    await store.query({ aggregateId: stream.aggregateId }, { limit: 10, order: "asc" });
    expect(database.connections()).toMatchObject([
      { purpose: "reads", busy: 0, waiting: 0 },
      { purpose: "writes", max: 3, busy: 3, waiting: MANY - 3 },
    ]);
    await held.release();
    await Promise.all(waiting);
    expect(await versionOf(stream)).toBe(1 + MANY);
  });

  it("keeps appends that share calls with one to it waiting for one short lock timeout, and no later ones", async () => {
    const opened = await open(ENDLESS);
    const { database, calls } = countCalls(opened.database);
    const store = storeOn(database);
    const stream = await newStream();
    const held = await hold(stream);
    const others = () => Promise.all(Array.from({ length: 40 }, () => store.append(noteEvent())));
    const late = [store.append(noteEvent(stream)), store.append(noteEvent(stream))];
    await others();
    const before = calls.count;
    for (let round = 0; round < 5; round += 1) {
      const together = others();
      late.push(store.append(noteEvent(stream)));
      await together;
    }
    // Each of 40 by itself would be 200 calls.
    expect(calls.count - before).toBeLessThan(60);
    await held.release();
    await Promise.all(late);
    expect(await versionOf(stream)).toBe(1 + 7);
  });

  it("makes all waiting appends fail after the lock timeout, including queued ones", async () => {
    const { store } = await open(500, 2);
    const stream = await newStream();
    await hold(stream);
    const appends = Array.from({ length: MANY }, () => store.append(noteEvent(stream)));
    const outcomes = await Promise.allSettled(appends);
    expect(outcomes.map(({ status }) => status)).toEqual(appends.map(() => "rejected"));
    expect(await versionOf(stream)).toBe(1);
  });

  it("is named in the status, with the session that locks it and the number of waiting sessions", async () => {
    const { database, store } = await open(ENDLESS);
    const stream = await newStream();
    const held = await hold(stream);
    const waiting = Array.from({ length: 3 }, () =>
      database.transaction((transaction) => store.append(noteEvent(stream), { transaction })),
    );
    await waitingSessions(3);
    const holder = { pid: held.pid, applicationName: HOLDER_NAME, state: "idle in transaction", waiting: 3 };
    expect(await lockHolders(database)).toMatchObject([holder]);
    await held.release();
    await Promise.all(waiting);
    expect(await lockHolders(database)).toEqual([]);
  });

  it("fails an append in a lent transaction, which continues with its own lock timeout", async () => {
    const stream = await newStream();
    await hold(stream);
    const client = postgres(url, { max: 1, onnotice: () => {} });
    onTestFinished(() => client.end());
    const { store } = await open(ENDLESS);
    const other = noteEvent();
    await client.begin(async (sql) => {
      await sql`SET LOCAL lock_timeout = '150ms'`;
      const transaction = transactionFromPostgres(sql);
      const refused = [
        () => store.appendToStream(stream, "any", [inputOf()], { transaction }),
        () => store.appendBatch([noteEvent(stream), other], { transaction }),
        () => store.closeStream(stream, "any", { transaction }),
      ];
      for (const append of refused)
        await expect(append()).rejects.toMatchObject({ code: "STREAM_LOCKED", streams: [stream] });
      expect(await sql`SHOW lock_timeout`).toEqual([{ lock_timeout: "150ms" }]);
      await store.append(other, { transaction });
    });
    expect(await store.getById(other.id)).toMatchObject({ id: other.id });
  });

  it("fails a batch after the batch's own lock timeout", async () => {
    const { database, store } = await open(ENDLESS);
    const [stream, other] = [await newStream(), noteEvent()];
    const held = await hold(stream);
    const batch = [noteEvent(stream), other];
    await expect(store.appendBatch(batch, { lockTimeout: 50 })).rejects.toMatchObject({ streams: [stream] });
    expect(await database.writes.query("SHOW lock_timeout")).toEqual([{ lock_timeout: "2min" }]);
    await store.append(other);
    // One is already stored, so the slow path runs.
    await expect(store.appendBatch(batch, { lockTimeout: 50 })).rejects.toMatchObject({ streams: [stream] });
    await held.release();
    const outcomes = await store.appendBatch(batch, { lockTimeout: 50 });
    expect(outcomes.map(({ status }) => status)).toEqual(["stored", "duplicate"]);
  });

  it.each([
    [1, [{ purpose: "all", max: 1 }]],
    [
      2,
      [
        { purpose: "reads", max: 1 },
        { purpose: "writes", max: 1 },
      ],
    ],
    [
      3,
      [
        { purpose: "reads", max: 1 },
        { purpose: "writes", max: 2 },
      ],
    ],
    [
      10,
      [
        { purpose: "reads", max: 4 },
        { purpose: "writes", max: 6 },
      ],
    ],
  ])("divides %i connections", async (maxConnections, expected) => {
    const { database } = await open(200, maxConnections);
    expect(database.connections()).toMatchObject(expected);
    // More appending transactions than there are connections.
    const appends = Array.from({ length: 20 }, () =>
      database.transaction((transaction) => storeOn(database).append(noteEvent(), { transaction })),
    );
    expect(await Promise.all(appends)).toHaveLength(20);
  });
});
