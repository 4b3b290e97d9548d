import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningSynap, runSynap } from "@synap/cli/all-in-one/run-synap.ts";
import { beginSession, writeSessionToken } from "@synap/database/internal";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runSynapCommand } from "../src/processes/run-command.ts";

let directory: string;
let running: RunningSynap | undefined;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "synap-sessions-"));
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

async function sessions(...args: string[]) {
  const command = runSynapCommand(["sessions", ...args, "--data", directory]);
  return { code: await command.ended, output: command.output(), stdout: command.stdout() };
}

async function whoIs({ apiUrl }: RunningSynap, session: string): Promise<number> {
  const cookie = `synap_session_${new URL(apiUrl).port}=${session}`;
  return (await fetch(`${apiUrl}/api/v1/session`, { headers: { cookie } })).status;
}

it("sessions outlast a restart, are listed, and are accepted until the command ends them", async () => {
  const empty = await sessions("list");
  expect([empty.code, empty.output]).toEqual([1, expect.stringContaining("has no sessions yet. Run")]);

  const first = await start();
  const file = join(directory, "session-secret");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const holder = { kind: "staff", principalId: "ada", scopes: ["read", "admin"], origin: "oidc:x" } as const;
  const begun = await beginSession(first.database, readFileSync(file, "utf8").trim(), holder);
  const session = writeSessionToken(begun);
  expect(await whoIs(first, session)).toBe(200);
  await first.stop();

  expect(await whoIs(await start(), session)).toBe(200);
  await running?.stop();

  const listed = await sessions("list");
  expect(listed.stdout).toMatch(
    new RegExp(`^${begun.id} +staff ada +20\\S+Z +20\\S+Z +20\\S+Z +oidc:x +read admin$`, "m"),
  );
  expect(JSON.parse((await sessions("list", "--json")).stdout)).toMatchObject({
    id: begun.id,
    principalId: "ada",
  });
  expect((await sessions("list", "--json")).stdout).not.toContain("seal");
  expect((await sessions("revoke", begun.id)).output).toBe(`The session ${begun.id} is ended.\n`);
  expect((await sessions("revoke", begun.id)).code).toBe(1);
  expect((await sessions("list")).stdout).toContain(" revoked ");

  expect(await whoIs(await start(), session)).toBe(401);
});
