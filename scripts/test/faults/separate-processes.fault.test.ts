import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openDatabase } from "@synap/database";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { buildBundles, type ProcessName, SeparateProcesses } from "../../src/processes/separate-processes.ts";
import { canRunTimescaledb, TimescaledbServer } from "../../src/processes/timescaledb-server.ts";
import { asPromised, inspectStore } from "./inspect-store.ts";
import { type LoadUnderFire, loadUnderFire, randomMoments } from "./load-under-fire.ts";
import { makeEvents, writeEvents } from "./published-events.ts";
import { waitUntilHandled } from "./wait-until-handled.ts";

const EVENTS = 20_000;
const ROUNDS = 3;
const VICTIMS: readonly (ProcessName | "database")[] = ["api", "worker", "broker", "database"];

describe.skipIf(!canRunTimescaledb)("separate processes on a TimescaleDB server", () => {
  const server = new TimescaledbServer(54331);
  let directory: string;
  let processes: SeparateProcesses | undefined;
  let running: LoadUnderFire | undefined;

  beforeAll(async () => {
    buildBundles();
    await server.remove();
    await server.start();
  });
  afterAll(() => server.remove());
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "synap-kills-"));
  });
  afterEach(async () => {
    await running?.stop();
    await processes?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it("lose and repeat nothing when each is killed in turn while 20,000 events are loaded", async () => {
    const events = makeEvents(EVENTS);
    const file = join(directory, "events.ndjson");
    writeEvents(file, events);
    processes = await SeparateProcesses.start(server.url);
    running = loadUnderFire(file, processes.apiUrl, { events: 25, inFlight: 1 });

    const table: object[] = [];
    const victims = Array.from({ length: ROUNDS }, () => VICTIMS).flat();
    for (const [index, moment] of randomMoments(victims.length, EVENTS).entries()) {
      const victim = victims[index] ?? "api";
      await running.reached(moment);
      await sleep(Math.random() * 150);
      if (victim === "database") await server.kill();
      else await processes.kill(victim);
      const answered = running.answered();
      expect(answered, "the kill came after the load").toBeLessThan(EVENTS);
      await sleep(Math.random() * 1_000);
      const from = performance.now();
      if (victim === "database") await server.start();
      else processes.run(victim);
      await processes.ready();
      table.push({ kill: index + 1, victim, answered, readyAgainMs: Math.round(performance.now() - from) });
    }
    const summary = await running.finished();
    await waitUntilHandled(processes.apiUrl, events);
    console.table(table);
    console.log(summary);
    expect(processes.ended(), "only what was killed may end").toEqual([]);

    const database = await openDatabase({ url: server.url });
    try {
      expect(await inspectStore(database, events)).toEqual(asPromised(EVENTS));
    } finally {
      await database.close();
    }
    expect(await processes.stop()).toEqual({ api: 0, broker: 0, worker: 0 });
  });
});
