import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningSynap, runSynap } from "@synap/cli/all-in-one/run-synap.ts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runSynapCommand } from "../src/processes/run-command.ts";

let directory: string;
let running: RunningSynap | undefined;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "synap-keys-"));
});
afterAll(async () => {
  await running?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function start(): Promise<RunningSynap> {
  const ports = { apiPort: 0, workerPort: 0, brokerPort: 0 };
  running = await runSynap({ dataDirectory: directory, ...ports, logLevel: "silent" });
  return running;
}

async function stop(): Promise<void> {
  await running?.stop();
  running = undefined;
}

async function keys(...args: string[]) {
  const command = runSynapCommand(["keys", ...args, "--data", directory]);
  return { code: await command.ended, output: command.output(), stdout: command.stdout() };
}

async function publish(url: string, token: string): Promise<number> {
  const response = await fetch(`${url}/api/v1/events`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ type: "note.creation.requested", data: { content: "with a key" } }),
  });
  return response.status;
}

it("the command makes keys that the API accepts until they are revoked, and start keeps its own", async () => {
  const empty = await keys("list");
  expect([empty.code, empty.output]).toEqual([1, expect.stringContaining("has no API keys yet. Run")]);

  const { token } = await start();
  const file = join(directory, "api-key");
  expect(readFileSync(file, "utf8")).toBe(`${token}\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const inUse = await keys("list");
  expect([inUse.code, inUse.output]).toEqual([1, expect.stringContaining("Synap already runs here")]);
  expect(inUse.output).toContain("stop that Synap, run this command, and start it again.");
  await stop();

  const created = await keys("create", "importer", "--scopes", "publish,backfill", "--expires", "90d");
  const key = created.stdout.trim();
  const [, id = ""] = /^synap_([0-9a-f]{12})_[0-9a-f]{64}$/.exec(key) ?? [];
  expect([created.code, id]).toEqual([0, expect.stringMatching(/./)]);
  expect(created.output).toContain("machine importer with publish, backfill. It expires at 20");
  for (const [args, says] of [
    [["create", "importer"], "A machine has no scopes by default"],
    [["create", "importer", "--scopes", "publsh"], "Scopes are publish, read"],
    [["create", "importer", "--kind", "root"], "Allowed choices are staff, user, agent, machine"],
    [["create", "service:x", "--kind", "agent"], "must not begin with service:"],
    [["create", "x", "--kind", "staff", "--expires", "soon"], "It must be like 90d"],
    [["create", "x", "--kind", "staff", "--expires", "0d"], "would already have expired"],
    [["create", "x", "--kind", "staff", "--expires", "-1d"], "It must be like 90d"],
  ] as const) {
    const refused = await keys(...args);
    expect([refused.code, refused.output]).toEqual([2, expect.stringContaining(says)]);
  }

  const again = await start();
  expect(again.token).toBe(token);
  expect(await publish(again.apiUrl, key)).toBe(202);
  await stop();

  const listed = await keys("list");
  expect(listed.stdout).toMatch(
    new RegExp(`^${id} +importer +machine importer +20\\S+ +20\\S+ +20\\S+ +publish backfill$`, "m"),
  );
  expect(listed.stdout).toMatch(/ +start +staff operator +20\S+ +never +never +all$/m);
  expect(listed.stdout).not.toContain(key.slice(-64));
  const rows = (await keys("list", "--json")).stdout.trim().split("\n");
  expect(rows.map((row) => JSON.parse(row))).toEqual([
    expect.objectContaining({
      id,
      name: "importer",
      lastUsedAt: expect.any(String),
      expiresAt: expect.any(String),
    }),
    expect.objectContaining({ name: "start", kind: "staff" }),
  ]);
  expect((await keys("revoke", id)).output).toBe(`The key ${id} is revoked.\n`);
  expect((await keys("revoke", id)).code).toBe(1);
  expect((await keys("revoke", token.slice(6, 18))).code).toBe(0);

  const last = await start();
  expect(last.token).not.toBe(token);
  expect(await publish(last.apiUrl, last.token)).toBe(202);
  expect(await publish(last.apiUrl, token)).toBe(401);
  expect(await publish(last.apiUrl, key)).toBe(401);
});
