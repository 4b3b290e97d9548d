import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningSynap, runSynap } from "@synap/cli/all-in-one/run-synap.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSynapCommand } from "../src/processes/run-command.ts";

let directory: string;
let synap: RunningSynap;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "synap-cli-projections-"));
  const ports = { apiPort: 0, workerPort: 0, brokerPort: 0 };
  synap = await runSynap({ dataDirectory: directory, ...ports, logLevel: "silent" });
  const notes = Array.from({ length: 200 }, (_, index) => ({
    type: "note.creation.requested",
    data: { content: `note ${index}` },
  }));
  await fetch(`${synap.apiUrl}/api/v1/events/batch`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(notes),
  });
  // Each note is answered by a reaction; the read model has a row for both.
  while ((await auditRows()) < 400) await new Promise((resolve) => setTimeout(resolve, 100));
});
afterAll(async () => {
  await synap.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function auditRows(): Promise<number> {
  try {
    const [row] = await synap.database.query<{ rows: number }>(
      "SELECT count(*) AS rows FROM synap_read.audit_log",
    );
    return row?.rows ?? 0;
  } catch {
    // The worker has not made it yet.
    return 0;
  }
}

async function projections(...args: readonly string[]) {
  const env = { SYNAP_URL: synap.apiUrl, SYNAP_DATA_DIR: synap.dataDirectory };
  const command = runSynapCommand(["projections", ...args], { env });
  const exitCode = await command.ended;
  return { exitCode, stdout: command.stdout(), output: command.output() };
}

const widest = (text: string) => Math.max(...text.split("\n").map((line) => [...line].length));
const liveBuild = async () => {
  const { builds } = JSON.parse((await projections("show", "audit-log", "--json")).stdout);
  return builds.find(({ role }: { role: string }) => role === "live").build;
};

describe("synap projections", () => {
  it("lists them and shows one", async () => {
    const list = await projections("list");
    expect(list.exitCode).toBe(0);
    expect(list.stdout).toMatch(/^audit-log +live +1 +running +0 /m);
    const show = await projections("show", "audit-log");
    expect(show.stdout).toMatch(/^build +\d+, live, of version 1$/m);
    expect(Math.max(widest(list.stdout), widest(show.stdout))).toBeLessThanOrEqual(100);
    const missing = await projections("show", "audit-lgo");
    expect([missing.exitCode, missing.output]).toEqual([
      1,
      'There is no projection named "audit-lgo" (did you mean "audit-log"?).\n',
    ]);
  });

  it("pauses and resumes one, and keeps who did", async () => {
    expect(await projections("pause", "audit-log", "--as", "Ada")).toMatchObject({
      exitCode: 0,
      stdout: "audit-log is paused.\n",
    });
    expect((await projections("show", "audit-log")).stdout).toMatch(/^changed by +Ada$/m);
    expect((await projections("resume", "audit-log")).stdout).toBe("audit-log is running.\n");
  });

  it("rebuilds one: shows how far it is, then that nothing differs, and cuts over on request", async () => {
    const first = await liveBuild();
    const rebuilt = await projections("rebuild", "audit-log");
    expect(rebuilt.exitCode).toBe(0);
    expect(rebuilt.output).toContain("Building version 1 of audit-log.");
    expect(rebuilt.output).toContain("100 % 0 events to go");
    expect(rebuilt.stdout).toContain("All rows are the same in both builds.");
    expect(rebuilt.stdout).toContain("npx -y pnpm@12 synap projections cutover audit-log");
    expect(await liveBuild()).toBe(first);
    const again = await projections("rebuild", "audit-log");
    expect(again.output).toContain("Already building version 1 of audit-log.");
    const over = await projections("cutover", "audit-log");
    expect([over.exitCode, over.stdout]).toEqual([
      0,
      expect.stringContaining("Version 1 of audit-log is live."),
    ]);
    expect(await liveBuild()).toBeGreaterThan(first);
    expect((await projections("rollback", "audit-log")).stdout).toContain("is live again");
    expect(await liveBuild()).toBe(first);
    expect((await projections("drop", "audit-log", "previous")).exitCode).toBe(0);
  });

  it("shows which rows differ, and cuts a differing build over only within a given bound", async () => {
    const table = `synap_read.audit_log_${await liveBuild()}`;
    await synap.database.asOwner((owner) =>
      owner.execute(`
        UPDATE ${table} SET action = 'somebody.was_here' WHERE "position" = (SELECT min("position") FROM ${table});
        DELETE FROM ${table} WHERE "position" = (SELECT max("position") FROM ${table});`),
    );
    const rebuilt = await projections("rebuild", "audit-log", "--cutover");
    expect(rebuilt.exitCode).toBe(1);
    expect(rebuilt.output).toContain("2 rows differ, 0 are allowed");
    const compared = await projections("compare", "audit-log");
    expect(compared.stdout).toMatch(/^audit_log +0 +1 +1 +\[\d+\] \[\d+\]$/m);
    expect(widest(compared.stdout)).toBeLessThanOrEqual(100);
    const over = await projections("cutover", "audit-log", "--max-difference", "2", "--json");
    expect(over.exitCode).toBe(0);
    expect(JSON.parse(over.stdout)).toMatchObject({ differences: [{ different: 1, onlyInNew: 1 }] });
    expect(await auditRows()).toBe(400);
  });

  it("only begins when it need not wait, and can be given up", async () => {
    const begun = await projections("rebuild", "audit-log", "--no-wait");
    expect([begun.exitCode, begun.stdout]).toEqual([0, expect.stringContaining("Building version 1")]);
    expect((await projections("drop", "audit-log", "building")).stdout).toBe(
      "The building build of audit-log is gone.\n",
    );
    expect((await projections("compare", "audit-log")).exitCode).toBe(1);
  });
});
