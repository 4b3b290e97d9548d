import { setTimeout as sleep } from "node:timers/promises";
import { openDatabase } from "@synap/database";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { buildBundles, SeparateProcesses } from "../../src/processes/separate-processes.ts";
import { canRunTimescaledb, TimescaledbServer } from "../../src/processes/timescaledb-server.ts";
import { asPromised, inspectStore } from "./inspect-store.ts";
import { makeEvents } from "./published-events.ts";
import { SteadySender } from "./steady-sender.ts";
import { waitUntilHandled } from "./wait-until-handled.ts";

const AWAY_MS = 30_000;
/** At 50 a second: a second in which nothing was refused. */
const IN_A_ROW = 50;

describe.skipIf(!canRunTimescaledb)("the database away for 30 s", () => {
  const server = new TimescaledbServer(54332);
  let processes: SeparateProcesses | undefined;

  beforeAll(async () => {
    buildBundles();
    await server.remove();
    await server.start();
  });
  afterAll(() => server.remove());
  afterEach(async () => {
    await processes?.stop();
  });

  it("costs nothing that was accepted: the API says 503, and all recover by themselves", async () => {
    processes = await SeparateProcesses.start(server.url);
    const sender = new SteadySender(processes.apiUrl);
    sender.begin("before");
    sender.start(makeEvents(20_000), 20);
    await expect.poll(() => sender.acceptedInARow).toBeGreaterThanOrEqual(3 * IN_A_ROW);

    // The kill takes a moment, in which events are sent already.
    sender.begin("away");
    await server.kill();
    await sleep(AWAY_MS / 2);
    expect(await processes.isReady()).toBe(false);
    await sleep(AWAY_MS / 2);
    await server.start();

    const from = performance.now();
    sender.begin("coming back");
    await processes.ready();
    const readyAgainMs = Math.round(performance.now() - from);
    await expect.poll(() => sender.acceptedInARow).toBeGreaterThanOrEqual(IN_A_ROW);
    const recoveredMs = Math.round(performance.now() - from);
    sender.begin("after");
    const afterwards = sender.accepted.length + 6 * IN_A_ROW;
    await expect.poll(() => sender.accepted.length).toBeGreaterThanOrEqual(afterwards);
    const phases = await sender.stop();
    await waitUntilHandled(processes.apiUrl, sender.accepted);
    console.table(phases);
    console.log(
      `after the database: ready in ${readyAgainMs} ms, ${IN_A_ROW} accepted in a row in ${recoveredMs} ms; ` +
        `accepted in all: ${sender.accepted.length}`,
    );

    expect(processes.ended(), "no process may end").toEqual([]);
    expect([...sender.others], "answers that are neither 2xx nor 503 with Retry-After").toEqual([]);
    expect(phases["before"]).toMatchObject({ unavailable: 0 });
    expect(phases["after"]?.accepted).toBe(phases["after"]?.requests);
    const database = await openDatabase({ url: server.url });
    try {
      const findings = await inspectStore(database, sender.accepted);
      // An event whose response was 503 may have been stored all the same: that loses nobody anything.
      expect({ ...findings, unknown: 0 }).toEqual(asPromised(sender.accepted.length));
      expect(findings.unknown).toBeLessThanOrEqual(phases["away"]?.unavailable ?? 0);
    } finally {
      await database.close();
    }
    expect(await processes.stop()).toEqual({ api: 0, broker: 0, worker: 0 });
  });
});
