import { randomUUID } from "node:crypto";
import { openDatabase, type ReadPoint } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { defaultApplication, type Engine, type OpenedEngine, openEngine } from "@synap/synap/internal";
import { seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  canRunTimescaledb,
  PostgresShell,
  TimescaledbServer,
} from "../../src/processes/timescaledb-server.ts";
import { documentedCommands } from "../processes/documented-commands.ts";

const PAGE = "docs/running-in-production.md";
const primary = new TimescaledbServer(54371);
const standby = new TimescaledbServer(54372);
const HOT = { aggregateType: "note", aggregateId: "hot" };
const note = (aggregateId: string) =>
  seedCatalogue.createSynapEvent({ type: "note.creation.requested", aggregateId, data: { content: "x" } });

/** The locks that replay holds on the log. */
const LOCKS = `
SELECT FROM pg_locks WHERE relation = 'synap.events'::regclass AND mode = 'AccessExclusiveLock' AND granted`;

/** A read that broke a law. */
type Fault =
  | { readonly law: "own write missing"; readonly id: string; readonly by: string }
  | { readonly law: "went back"; readonly from: number; readonly to: number }
  | { readonly law: "foreign event"; readonly id: string };

/**
 * Writers and readers that run until they are stopped, and note every read that breaks a law.
 * @param from the position after which a subscriber follows
 */
function startLoad({ store, reads }: Engine, from: number, foreign: ReadonlySet<string>) {
  const faults: Fault[] = [];
  const committed: number[] = [];
  const delivered: number[] = [];
  const rounds = { writes: 0, reads: 0 };
  const stopping = new AbortController();
  const isOn = () => !stopping.signal.aborted;

  async function write(): Promise<void> {
    for (let count = 1; isOn(); count += 1) {
      const aggregateId = randomUUID();
      const stream = { aggregateType: "note", aggregateId };
      const event = note(count % 2 === 0 ? aggregateId : HOT.aggregateId);
      const outcome = await store.append(event);
      if (outcome.status !== "stored") throw new Error(`not stored: ${outcome.status}`);
      committed.push(outcome.position);
      const point: ReadPoint = { position: outcome.position };
      const { events } = await reads.query({}, { limit: 100, order: "desc", point: { ...point } });
      if (!events.some(({ id }) => id === event.id))
        faults.push({ law: "own write missing", id: event.id, by: "query" });
      if (event.aggregateId !== aggregateId) continue;
      const page = await reads.readStreamPage(stream, { point });
      if (page.events.length !== 1) faults.push({ law: "own write missing", id: event.id, by: "stream" });
      rounds.writes += 1;
    }
  }

  async function readAgain(): Promise<void> {
    const point: ReadPoint = { position: 0 };
    for (let version = 0; isOn(); rounds.reads += 1) {
      const info = await reads.getStream(HOT, { point });
      const now = info?.streamVersion ?? 0;
      if (now < version) faults.push({ law: "went back", from: version, to: now });
      version = now;
      const { events } = await reads.query({}, { limit: 20, order: "desc", point });
      for (const { id } of events) if (foreign.has(id)) faults.push({ law: "foreign event", id });
    }
  }

  async function subscribe(): Promise<void> {
    for await (const { events } of reads.subscribeToAll({ from, signal: subscribed.signal })) {
      delivered.push(...events.map(({ position }) => position));
    }
  }

  const subscribed = new AbortController();
  const subscriber = subscribe();
  const running = Promise.all([write(), write(), readAgain(), readAgain()]);
  return {
    faults,
    committed,
    delivered,
    rounds,
    /** Resolves when every part has gone on for a while. */
    async goOn(): Promise<void> {
      const { writes, reads: read } = { ...rounds };
      const got = delivered.length;
      await vi.waitFor(
        () => {
          expect(rounds.writes).toBeGreaterThan(writes + 5);
          expect(rounds.reads).toBeGreaterThan(read + 5);
          expect(delivered.length).toBeGreaterThan(got + 5);
        },
        { timeout: 120_000, interval: 20 },
      );
    },
    /** Stops the writers, and the subscriber when it has everything. */
    async stop(): Promise<void> {
      stopping.abort();
      await running;
      await vi.waitFor(() => expect(delivered).toHaveLength(committed.length), { timeout: 120_000 });
      subscribed.abort();
      await subscriber;
    },
  };
}

describe.runIf(canRunTimescaledb)("reading from a replica that fails", () => {
  let opened: OpenedEngine;
  const reasons: string[] = [];
  /** Position of the last event before the load. */
  let end = 0;

  beforeAll(async () => {
    for (const server of [primary, standby]) await server.remove();
    await primary.start();
    const shell = new PostgresShell();
    const variables = { PRIMARY: primary.url, DATA: standby.data };
    await shell.run(documentedCommands(PAGE, "make a replica"), variables);
    await shell.run('chown --recursive postgres:postgres "$DATA"', variables);
    shell.remove();
    await standby.start();
    opened = await openEngine(
      defaultApplication,
      { url: primary.url },
      {
        replica: { url: standby.url, maxLag: 1_500 },
        logger: { info: () => {}, warn: (_fields, message) => void reasons.push(message), error: () => {} },
      },
    );
  });
  afterAll(async () => {
    await opened?.close();
    await standby.remove();
    await primary.remove();
  });

  const state = () => {
    const { replica } = opened.engine;
    if (replica === undefined) throw new Error("There is no replica.");
    return replica.state();
  };
  const until = (expected: object) =>
    vi.waitFor(() => expect(state()).toMatchObject(expected), { timeout: 120_000, interval: 20 });

  /** Runs a statement on the standby as its owner. */
  async function onStandby(statement: string): Promise<object[]> {
    const database = await openDatabase({ url: standby.url });
    return database.asOwner((owner) => owner.query(statement)).finally(() => database.close());
  }

  it("leaves a read to the primary that would wait for a lock which paused replay holds", async () => {
    await until({ inUse: true });
    const { store, reads, database } = opened.engine;
    const event = note("locked");
    const outcome = await store.append(event);
    if (outcome.status !== "stored") throw new Error(`not stored: ${outcome.status}`);
    end = outcome.position;
    const point: ReadPoint = { position: end };
    await database.asOwner(async (owner) => {
      await owner.query("LOCK TABLE synap.events IN ACCESS EXCLUSIVE MODE");
      await vi.waitFor(async () => expect(await onStandby(LOCKS)).toHaveLength(1), { timeout: 120_000 });
      await onStandby("SELECT pg_wal_replay_pause()");
    });
    const passedOn = () => Object.values(state().passedOn).reduce((sum, reads) => sum + reads);
    const before = passedOn();
    expect(await reads.getById(event.id, { point })).toMatchObject({ id: event.id });
    expect(passedOn()).toBe(before + 1);
    // Replay stands still, so the replica may be too late by now; it has no fault.
    expect(state().reason ?? "behind the primary").toContain("behind the primary");
    await onStandby("SELECT pg_wal_replay_resume()");
    await vi.waitFor(async () => expect(await onStandby(LOCKS)).toHaveLength(0), { timeout: 120_000 });
    const { served } = state();
    const readAgain = async () => {
      expect(await reads.getById(event.id, { point })).toMatchObject({ id: event.id });
      expect(state().served).toBeGreaterThan(served);
    };
    // A read is left to the primary while replay has not come far enough.
    await vi.waitFor(readAgain, { timeout: 120_000, interval: 20 });
  });

  it("shows every reader what it wrote and saw, and delivers every event once and in order, while it is paused, killed and promoted", async () => {
    await until({ inUse: true });
    const before = reasons.length;
    const foreign = new Set<string>();
    const load = startLoad(opened.engine, end, foreign);
    /** The load goes on, and the replica has its part of it. */
    const servesAgain = async () => {
      await until({ inUse: true });
      const { served } = state();
      await load.goOn();
      await vi.waitFor(() => expect(state().served).toBeGreaterThan(served), { timeout: 120_000 });
    };
    await servesAgain();

    await onStandby("SELECT pg_wal_replay_pause()");
    await load.goOn();
    await until({ inUse: false, reason: expect.stringContaining("behind the primary") });
    await load.goOn();
    await onStandby("SELECT pg_wal_replay_resume()");
    await servesAgain();

    await standby.kill();
    await load.goOn();
    await until({ inUse: false });
    await load.goOn();
    await standby.start();
    await servesAgain();

    await onStandby("SELECT pg_promote()");
    const other = await openDatabase({ url: standby.url });
    const event = note(HOT.aggregateId);
    foreign.add(event.id);
    await createEventStore({ database: other, catalogue: seedCatalogue }).append(event);
    await other.close();
    await load.goOn();
    await until({ inUse: false, reason: expect.stringContaining("promoted") });
    await load.goOn();

    await load.stop();
    expect(load.faults).toEqual([]);
    expect(load.delivered).toEqual([...load.committed].sort((one, two) => one - two));
    expect(reasons.slice(before)).toContainEqual(expect.stringContaining("behind the primary"));
    expect(reasons.at(-1)).toContain("promoted");
  });
});
