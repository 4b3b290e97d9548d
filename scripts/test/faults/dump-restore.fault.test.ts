import { setTimeout as sleep } from "node:timers/promises";
import {
  type Database,
  type EventStore,
  migrate,
  OptimisticLockError,
  openDatabase,
  type StreamAppendResult,
} from "@synap/database";
import {
  createEventStore,
  currentEpoch,
  lockCheckpoint,
  readCheckpoint,
  saveCheckpoint,
  verifyTables,
} from "@synap/database/internal";
import type { StoredEvent } from "@synap/types";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  hasPostgresPrograms,
  PostgresShell,
  TimescaledbServer,
} from "../../src/processes/timescaledb-server.ts";
import { createRandom } from "../../src/stress/random.ts";
import { makeEvents, pickCounter, stressCatalogue } from "../../src/stress/stress-events.ts";
import { documentedCommands } from "../processes/documented-commands.ts";

const PAGE = "docs/backup-and-restore.md";
const reason = hasPostgresPrograms
  ? ""
  : " (skipped: .ci/timescaledb has not installed PostgreSQL's programs)";

describe.skipIf(!hasPostgresPrograms)(`a dump restored into a new cluster${reason}`, () => {
  const source = new TimescaledbServer(54334);
  const target = new TimescaledbServer(54335);
  let shell: PostgresShell;
  const opened: Database[] = [];

  beforeAll(async () => {
    shell = new PostgresShell();
    for (const server of [source, target]) {
      await server.remove();
      await server.start();
    }
  });
  afterEach(async () => {
    for (const database of opened.splice(0)) await database.close();
  });
  afterAll(async () => {
    shell?.remove();
    await source.remove();
    await target.remove();
  });

  async function open(url: string): Promise<{ database: Database; store: EventStore }> {
    const database = await openDatabase({ url });
    opened.push(database);
    return { database, store: createEventStore({ database, catalogue: stressCatalogue }) };
  }

  const dump = () => shell.run(documentedCommands(PAGE, "back up"), { SOURCE: source.url });
  const targetUrl = target.url.replace(/\/postgres$/, "/synap");
  const restore = () =>
    shell.run(documentedCommands(PAGE, "restore"), { CLUSTER: target.url, TARGET: targetUrl });

  it("lets subscribers go on as if nothing had happened: none skipped, none repeated, positions rise", async () => {
    const before = await open(source.url);
    await migrate(before.database);
    await createReadModel(before.database);
    const sent = await writeFor(before.store, 3_000);

    // One subscriber keeps its checkpoint outside, with what it has read; the other one in the store's database.
    const outside: Outside = { checkpoint: 0, ids: [] };
    await readOutside(before.store, outside, 100);
    await readInside(before.database, before.store, 70);
    expect(outside.ids.length).toBe(100);

    // The dump is made while appends go on, and while one that has its number already is not committed.
    const stop = new AbortController();
    let latePosition = 0;
    const late = before.database.transaction(async (transaction) => {
      const events = makeEvents(counter, 0, 1, "not yet committed when the dump was made");
      const appended = await before.store.appendToStream(counter, "any", events, { transaction });
      latePosition = appended.position;
      await sleep(300_000, undefined, { signal: stop.signal }).catch(() => undefined);
    });
    const writing = [1, 2, 3].map((writer) => writeUntil(before.store, writer, stop.signal));
    await sleep(300);
    const insideGoesOn = readInsideUntil(before.database, before.store, stop.signal);
    expect(await dump()).toMatch(/backed up\n$/);
    stop.abort();
    await Promise.all([...writing, insideGoesOn, late]);
    expect(await restore()).toMatch(/restored\n$/);

    const after = await open(targetUrl);
    expect((await migrate(after.database)).applied).toEqual([]);
    expect(after.database.capabilities.applicationRole, "queries run as the role").toBe(true);
    const restored = await positions(after.database);
    expect(restored).not.toContain(latePosition);
    expect(restored.at(-1), "appends went on while the number before them was not committed").toBeGreaterThan(
      latePosition,
    );
    const inside = await readCheckpoint(after.database, READER);
    expect(inside).toBeGreaterThan(0);
    expect(inside, "it had more to read when the dump was made").toBeLessThan(restored.at(-1) ?? 0);

    // What was sent before is known; versions go on; positions rise.
    const [first] = sent;
    if (first === undefined) throw new Error("Nothing was sent.");
    expect(await first.again(after.store)).toEqual({
      ...first.result,
      events: first.result.events.map((event) => ({ ...event, duplicate: true })),
    });
    const head = await after.store.getStream(counter);
    const version = head?.streamVersion ?? 0;
    const next = makeEvents(counter, 9, 1);
    await expect(after.store.appendToStream(counter, version + 1, next)).rejects.toThrow(OptimisticLockError);
    const appended = await after.store.appendToStream(counter, version, next);
    expect(appended.streamVersion).toBe(version + 1);
    expect(appended.position).toBeGreaterThan(restored.at(-1) ?? 0);
    await writeFor(after.store, 500);

    const all = await eventsByPosition(after.database);
    await readOutside(after.store, outside);
    await readInside(after.database, after.store);
    expect(outside.ids).toEqual(all);
    expect(await readModel(after.database)).toEqual(all);

    await expect(
      after.database.asOwner((owner) => owner.query("DELETE FROM synap.events")),
    ).rejects.toMatchObject({
      code: "SY002",
    });
  });

  it.each([
    [
      "with an older pg_dump",
      "echo 'pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)'",
      "pg_dump is of PostgreSQL 15, and the server of 17: install postgresql-client-17",
    ],
    [
      "when pg_dump fails",
      'case "$1" in --version) echo "pg_dump (PostgreSQL) 17.5" ;; *) echo "out of space"; exit 1 ;; esac',
      "out of space",
    ],
    [
      "when the dump is empty",
      'case "$1" in --version) echo "pg_dump (PostgreSQL) 18beta1" ;; *) : > synap.dump.new ;; esac',
      "input file is too short",
    ],
  ])("fails aloud %s, and keeps the dump before", async (_when, program, message) => {
    const setup = `
      mkdir -p programs && printf '#!/bin/sh\\n%s\\n' "$PROGRAM" > programs/pg_dump && chmod +x programs/pg_dump
      PATH=$PWD/programs:$PATH; echo before > synap.dump`;
    const backUp = `${setup}\n${documentedCommands(PAGE, "back up")}`;
    await expect(shell.run(backUp, { SOURCE: source.url, PROGRAM: program })).rejects.toThrow(message);
    expect(await shell.run("cat synap.dump", {})).toBe("before\n");
  });

  it("refuses a subscriber that is ahead of the backup, and gives its positions to no new event", async () => {
    const { database, store } = await open(targetUrl);
    const { number, firstPosition, lastBefore = 0 } = await currentEpoch(database);
    expect(number).toBe(2);
    const seen = lastBefore + 50_000 * 1_024;
    await expect(store.readAll({ after: seen, limit: 10 })).rejects.toMatchObject({
      code: "POSITION_LOST",
      position: seen,
      resumeAfter: lastBefore,
      epoch: 2,
    });
    const { position } = await store.appendToStream(counter, "any", makeEvents(counter, 1, 1));
    expect(position).toBeGreaterThan(firstPosition);
    expect(await verifyTables(database)).toEqual([]);
  });
});

const counter = { aggregateType: "counter", aggregateId: "counter-0" };
const READER = "reader inside";

/** A subscriber whose checkpoint is kept with what it has read. */
interface Outside {
  checkpoint: number;
  readonly ids: string[];
}

interface Sent {
  readonly result: StreamAppendResult;
  again(store: EventStore): Promise<StreamAppendResult>;
}

async function writeFor(store: EventStore, events: number): Promise<Sent[]> {
  const sent: Sent[] = [];
  const random = createRandom(events);
  for (let count = 0; count < events; count += 10) {
    const stream = pickCounter(random);
    const made = makeEvents(stream, 1, 10);
    const again = (other: EventStore) => other.appendToStream(stream, "any", made);
    sent.push({ result: await again(store), again });
  }
  return sent;
}

async function writeUntil(store: EventStore, writer: number, stop: AbortSignal): Promise<void> {
  const random = createRandom(writer);
  while (!stop.aborted) {
    const stream = { aggregateType: "diary", aggregateId: `diary-${random.whole(1, 50)}` };
    await store.appendToStream(stream, "any", makeEvents(stream, writer, random.whole(1, 5)));
  }
}

async function readOutside(
  store: EventStore,
  outside: Outside,
  atMost = Number.POSITIVE_INFINITY,
): Promise<void> {
  const batchSize = Math.min(atMost, 500);
  for await (const batch of store.subscribeToAll({ from: outside.checkpoint, batchSize })) {
    outside.ids.push(...batch.events.map(({ id }) => id));
    outside.checkpoint = batch.position;
    if (batch.caughtUp || outside.ids.length >= atMost) return;
  }
}

async function createReadModel(database: Database): Promise<void> {
  await database.asOwner((owner) =>
    owner.execute(`
      CREATE SCHEMA reader;
      CREATE TABLE reader.seen (place bigserial PRIMARY KEY, id uuid NOT NULL);
      GRANT USAGE ON SCHEMA reader TO synap_app;
      GRANT SELECT, INSERT ON reader.seen TO synap_app;
      GRANT USAGE ON SEQUENCE reader.seen_place_seq TO synap_app;
    `),
  );
}

/** One batch with its checkpoint in one transaction. @returns whether there may be more */
async function readOneBatch(database: Database, store: EventStore, limit: number): Promise<boolean> {
  return database.transaction(async (transaction) => {
    const after = await lockCheckpoint(transaction, READER);
    if (after === undefined) throw new Error("Somebody else is reading.");
    const page = await store.readAll({ after, limit, transaction });
    await writeSeen(transaction, page.events);
    await saveCheckpoint(transaction, READER, page.position);
    return !page.caughtUp;
  });
}

async function writeSeen(session: Pick<Database, "query">, events: readonly StoredEvent[]): Promise<void> {
  await session.query(
    `INSERT INTO reader.seen (id)
     SELECT e.id::uuid FROM jsonb_array_elements_text($1::text::jsonb) WITH ORDINALITY AS e(id, place) ORDER BY e.place`,
    [JSON.stringify(events.map(({ id }) => id))],
  );
}

/** Up to the end, or one batch of so many. */
async function readInside(database: Database, store: EventStore, only?: number): Promise<void> {
  let isMore = await readOneBatch(database, store, only ?? 500);
  while (only === undefined && isMore) isMore = await readOneBatch(database, store, 500);
}

async function readInsideUntil(database: Database, store: EventStore, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    await readOneBatch(database, store, 20);
    await sleep(20);
  }
}

async function readModel(database: Database): Promise<string[]> {
  const rows = await database.query<{ id: string }>("SELECT id FROM reader.seen ORDER BY place");
  return rows.map(({ id }) => id);
}

async function eventsByPosition(database: Database): Promise<string[]> {
  const rows = await database.query<{ id: string }>('SELECT id FROM synap.events ORDER BY "position"');
  return rows.map(({ id }) => id);
}

async function positions(database: Database): Promise<number[]> {
  const rows = await database.query<{ position: number }>(
    'SELECT "position" FROM synap.events ORDER BY "position"',
  );
  return rows.map(({ position }) => position);
}
