import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { recordFunctionRegistration } from "@synap/database/internal";
import { createTestDatabase, serverVariables, type TestDatabase, testEngines } from "@synap/database/testing";
import { INNGEST_APP_ID } from "@synap/types/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FaultBroker, startFaultBroker } from "../testing/fault-broker.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** Runs the API as a process; collects what it says. */
function run(variables: Record<string, string>) {
  const child: ChildProcess = spawn(process.execPath, ["--import", "tsx", main], {
    env: { PATH: process.env["PATH"], SYNAP_API_PORT: "0", ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stdout?.on("data", (chunk) => {
    said += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    said += chunk;
  });
  const exit = once(child, "exit").then(([code]: unknown[]) => code);
  const hear = async (pattern: RegExp) => {
    for (;;) {
      const found = pattern.exec(said);
      if (found !== null) return found;
      if (child.exitCode !== null) throw new Error(`The process ended: ${said}`);
      await sleep(20);
    }
  };
  return { child, exit, hear, said: () => said };
}

describe("the API's process", () => {
  it("requires DATABASE_URL, and names the alternative", async () => {
    const api = run({});
    expect(await api.exit).toBe(2);
    expect(api.said()).toContain("npm start");
  });

  it("logs JSON, or readable lines with SYNAP_LOG_FORMAT=pretty", async () => {
    const [json, pretty] = [run({}), run({ SYNAP_LOG_FORMAT: "pretty" })];
    await Promise.all([json.exit, pretty.exit]);
    expect(JSON.parse(json.said())).toMatchObject({ level: 60, name: "api" });
    expect(pretty.said()).toMatch(/^20\S+Z fatal api: DATABASE_URL is not set/);
  });

  it("names the variable that is wrong", async () => {
    const api = run({ DATABASE_URL: "postgres://127.0.0.1:1/none", SYNAP_MAX_DEPTH: "1000" });
    expect(await api.exit).toBe(2);
    expect(api.said()).toContain("SYNAP_MAX_DEPTH");
  });

  it("does not send events to the public cloud unless that was chosen", async () => {
    const api = run({ DATABASE_URL: "postgres://127.0.0.1:1/none", INNGEST_EVENT_KEY: "key" });
    expect(await api.exit).toBe(2);
    expect(api.said()).toContain("INNGEST_BASE_URL is not set");
  });
});

describe.runIf(testEngines().includes("server"))("the API's process, with a server", () => {
  let database: TestDatabase;
  let broker: FaultBroker;
  beforeAll(async () => {
    database = await createTestDatabase("server");
    await recordFunctionRegistration(database.database, INNGEST_APP_ID);
    broker = await startFaultBroker();
  });
  afterAll(async () => {
    await broker.stop();
    await database.drop();
  });

  async function startWithRequestInFlight() {
    const api = run({
      ...serverVariables(database),
      INNGEST_BASE_URL: broker.url,
      INNGEST_DEV: "1",
      SYNAP_PUBLISH_DEADLINE_MS: "60000",
    });
    const [, address] = await api.hear(/listening on (http:\/\/[\d.:]+)/);
    let release = () => {};
    broker.hold = new Promise((resolve) => {
      release = resolve;
    });
    const before = broker.attempts();
    const response = fetch(`${address}/api/v1/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ type: "note.creation.requested", data: { content: "in flight" } }),
    }).then(
      ({ status }) => status,
      () => "broken off",
    );
    await expect.poll(() => broker.attempts()).toBeGreaterThan(before);
    return { api, response, release };
  }

  it("on SIGTERM answers what is in flight and exits 0", async () => {
    const { api, response, release } = await startWithRequestInFlight();
    api.child.kill("SIGTERM");
    await api.hear(/SIGTERM/);
    release();
    expect(await response).toBe(202);
    expect(await api.exit).toBe(0);
  });

  it("on a later signal exits at once, with the code of an interrupted process", async () => {
    const { api, response, release } = await startWithRequestInFlight();
    api.child.kill("SIGINT");
    await api.hear(/SIGINT/);
    // A signal that comes within a second of the first is the same Ctrl-C, passed on by npm.
    const again = setInterval(() => api.child.kill("SIGINT"), 100);
    expect(await api.exit).toBe(130);
    clearInterval(again);
    expect(await response).toBe("broken off");
    release();
  });
});
