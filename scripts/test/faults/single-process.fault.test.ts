import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { reservePorts } from "@synap/cli/all-in-one/ports.ts";
import { openDatabase } from "@synap/database";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type RunningCommand, runSynapCommand } from "../../src/processes/run-command.ts";
import { asPromised, inspectStore } from "./inspect-store.ts";
import { type LoadUnderFire, loadUnderFire, randomMoments } from "./load-under-fire.ts";
import { makeEvents, writeEvents } from "./published-events.ts";
import { waitUntilHandled } from "./wait-until-handled.ts";

const EVENTS = 20_000;
const KILLS = 10;

let directory: string;
let args: string[];
let url: string;
let synap: RunningCommand;
let running: LoadUnderFire | undefined;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "synap-kills-"));
  const wanted = ["API", "worker", "broker"].map((name) => ({ name, port: 0, option: "" }));
  const [api = 0, worker = 0, broker = 0] = await reservePorts(wanted, "127.0.0.1");
  url = `http://127.0.0.1:${api}`;
  const ports = ["--port", String(api), "--worker-port", String(worker), "--broker-port", String(broker)];
  args = ["--data", join(directory, "data"), ...ports];
});
afterEach(async () => {
  await running?.stop();
  synap.child.kill("SIGKILL");
  await synap.ended;
  rmSync(directory, { recursive: true, force: true });
});

async function start(): Promise<number> {
  const from = performance.now();
  synap = runSynapCommand(["start", ...args], { env: { LOG_LEVEL: "warn" } });
  await synap.waitFor(/is ready/, 120_000);
  return performance.now() - from;
}

it("loses and repeats nothing when the one process is killed ten times while 20,000 events are loaded", async () => {
  const events = makeEvents(EVENTS);
  const file = join(directory, "events.ndjson");
  writeEvents(file, events);
  await start();
  running = loadUnderFire(file, url, { events: 50, inFlight: 2 });

  const table: object[] = [];
  for (const [index, moment] of randomMoments(KILLS, EVENTS).entries()) {
    await running.reached(moment);
    await sleep(Math.random() * 150);
    synap.child.kill("SIGKILL");
    await synap.ended;
    const answered = running.answered();
    expect(answered, "the kill came after the load").toBeLessThan(EVENTS);
    const readyAgainMs = Math.round(await start());
    // Now and then the load is killed too.
    const importKilled = index % 4 === 3;
    if (importKilled) await running.killAndRunAgain();
    table.push({ kill: index + 1, answered, importKilled, readyAgainMs });
  }
  const summary = await running.finished();
  await waitUntilHandled(url, events);
  console.table(table);
  console.log(summary);

  synap.child.kill("SIGTERM");
  expect(await synap.ended).toBe(0);
  const database = await openDatabase({ dataDirectory: join(directory, "data", "database") });
  try {
    expect(await inspectStore(database, events)).toEqual(asPromised(EVENTS));
  } finally {
    await database.close();
  }
});
