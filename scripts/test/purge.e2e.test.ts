import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningSynap, runSynap } from "@synap/cli/all-in-one/run-synap.ts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runSynapCommand } from "../src/processes/run-command.ts";

const CANARY = "canary-of-the-purge";

let directory: string;
let running: RunningSynap | undefined;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "synap-purge-"));
});
afterAll(async () => {
  await running?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const ports = { apiPort: 0, workerPort: 0, brokerPort: 0 };
  running = await runSynap({ dataDirectory: directory, ...ports, logLevel: "silent" });
}

async function command(...args: string[]) {
  const started = runSynapCommand([...args, "--data", directory], { env: { DATABASE_URL: "" } });
  return { code: await started.ended, output: started.output(), stdout: started.stdout() };
}

async function call(path: string, init: RequestInit = {}) {
  const key = readFileSync(join(directory, "api-key"), "utf8").trim();
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const response = await fetch(`${running?.apiUrl}${path}`, { ...init, headers });
  return { status: response.status, body: await response.text() };
}

const publish = (content: string, userId: string) =>
  call("/api/v1/events", {
    method: "POST",
    body: JSON.stringify({ type: "note.creation.requested", userId, data: { content } }),
  });
const notes = (userId: string) => call(`/api/v1/notes?userId=${userId}`);

it.each([
  [[], "one of --event, --stream and --user"],
  [["--user", "ada", "--stream", "note/1"], "one of --event, --stream and --user"],
  [["--user", "ada", "--reason", " "], "1 to 1000 characters"],
])("a purge with %j is refused", async (args, reason) => {
  expect(await command("purge", ...args)).toMatchObject({ code: 2, output: expect.stringContaining(reason) });
});

it("a purge counts, removes, is recorded, and leaves nothing in what the API answers", async () => {
  await start();
  await publish(CANARY, "ada");
  await publish("of another user", "ben");
  await expect.poll(async () => (await notes("ada")).body).toContain(CANARY);
  await running?.stop();

  const counted = await command("purge", "--user", "ada");
  expect(counted).toMatchObject({ code: 0, stdout: expect.stringMatching(/^2 events from 20/) });
  expect(counted.stdout).toContain("Nothing was changed.");
  expect(await command("purge", "--event", "42")).toMatchObject({
    code: 2,
    output: expect.stringContaining("must be a UUID"),
  });
  expect(await command("purge", "--user", "ada", "--yes")).toMatchObject({
    code: 2,
    output: expect.stringContaining("needs a reason"),
  });
  const purged = await command(
    "purge",
    "--user",
    "ada",
    "--yes",
    "--reason",
    "Request 118",
    "--by",
    "user:ben",
  );
  expect(purged).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^2 events were removed. Purge \S+, recorded/),
  });
  expect(await command("verify")).toMatchObject({ code: 0, stdout: expect.stringContaining("no fault") });
  expect(await command("purge", "--user", "ada")).toMatchObject({ stdout: "No stored event is selected.\n" });
  expect(await command("purge", "--continue")).toMatchObject({
    code: 1,
    output: expect.stringContaining("nothing to continue"),
  });

  await start();
  await expect.poll(async () => (await notes("ada")).body, { timeout: 60_000 }).not.toContain(CANARY);
  await expect
    .poll(async () => (await call("/readyz")).body, { timeout: 60_000 })
    .not.toContain("purge-unfinished");
  expect((await notes("ben")).body).toContain("of another user");
  const recorded = await call("/api/v1/events?type=log.purged");
  expect(JSON.parse(recorded.body)).toMatchObject({
    events: [{ createdBy: "user:ben", data: { events: 2, reason: "Request 118" } }],
  });
  expect((await call("/api/v1/events?userId=ada")).body).not.toContain(CANARY);
}, 180_000);
