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
  const tasks = Array.from({ length: 200 }, (_, index) => ({
    type: "task.created",
    aggregateId: `t${String(index).padStart(3, "0")}`,
    data: { title: `task ${index}` },
  }));
  await fetch(`${synap.apiUrl}/api/v1/events/batch`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(tasks),
  });
  while ((await taskRows()) < 200) await new Promise((resolve) => setTimeout(resolve, 100));
});
afterAll(async () => {
  await synap.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function taskRows(): Promise<number> {
  try {
    const [row] = await synap.database.query<{ rows: number }>(
      "SELECT count(*) AS rows FROM synap_read.tasks_view",
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
  const { builds } = JSON.parse((await projections("show", "tasks-view", "--json")).stdout);
  return builds.find(({ role }: { role: string }) => role === "live").build;
};

describe("synap projections", () => {
  it("lists them and shows one", async () => {
    const list = await projections("list");
    expect(list.exitCode).toBe(0);
    expect(list.stdout).toMatch(/^tasks-view +live +1 +running +0 /m);
    const show = await projections("show", "tasks-view");
    expect(show.stdout).toMatch(/^build +\d+, live, of version 1$/m);
    expect(Math.max(widest(list.stdout), widest(show.stdout))).toBeLessThanOrEqual(100);
    const missing = await projections("show", "tasks-vieww");
    expect([missing.exitCode, missing.output]).toEqual([
      1,
      'There is no projection named "tasks-vieww" (did you mean "tasks-view"?).\n',
    ]);
  });

  it("shows the rows as they were at a position or a moment", async () => {
    const now = await projections("as-of", "tasks-view", new Date().toISOString(), "--limit", "2", "--json");
    expect(JSON.parse(now.stdout)).toMatchObject({
      events: 200,
      tables: [{ table: "tasks_view", rows: [{}, {}], isCut: true }],
    });
    const before = await projections("as-of", "tasks-view", "0");
    expect([before.exitCode, before.stdout]).toEqual([0, "tasks_view: 0 rows\n[]\n"]);
    const wrong = await projections("as-of", "tasks-view", "yesterday");
    expect([wrong.exitCode, wrong.output]).toEqual([2, expect.stringContaining("It must be a moment")]);
  });

  it("pauses and resumes one, and keeps who did", async () => {
    expect(await projections("pause", "tasks-view", "--as", "Ada")).toMatchObject({
      exitCode: 0,
      stdout: "tasks-view is paused.\n",
    });
    expect((await projections("show", "tasks-view")).stdout).toMatch(/^changed by +Ada$/m);
    expect((await projections("resume", "tasks-view")).stdout).toBe("tasks-view is running.\n");
  });

  it("rebuilds one: shows how far it is, then that nothing differs, and cuts over on request", async () => {
    const first = await liveBuild();
    const rebuilt = await projections("rebuild", "tasks-view");
    expect(rebuilt.exitCode).toBe(0);
    expect(rebuilt.output).toContain("Building version 1 of tasks-view.");
    expect(rebuilt.output).toContain("100 % 0 events to go");
    expect(rebuilt.stdout).toContain("All rows are the same in both builds.");
    expect(rebuilt.stdout).toContain("npx -y pnpm@12 synap projections cutover tasks-view");
    expect(await liveBuild()).toBe(first);
    const again = await projections("rebuild", "tasks-view");
    expect(again.output).toContain("Already building version 1 of tasks-view.");
    const over = await projections("cutover", "tasks-view");
    expect([over.exitCode, over.stdout]).toEqual([
      0,
      expect.stringContaining("Version 1 of tasks-view is live."),
    ]);
    expect(await liveBuild()).toBeGreaterThan(first);
    expect((await projections("rollback", "tasks-view")).stdout).toContain("is live again");
    expect(await liveBuild()).toBe(first);
    expect((await projections("drop", "tasks-view", "previous")).exitCode).toBe(0);
  });

  it("shows which rows differ, and cuts a differing build over only within a given bound", async () => {
    const table = `synap_read.tasks_view_${await liveBuild()}`;
    await synap.database.asOwner((owner) =>
      owner.execute(`
        UPDATE ${table} SET title = 'somebody was here' WHERE id = (SELECT min(id) FROM ${table});
        DELETE FROM ${table} WHERE id = (SELECT max(id) FROM ${table});`),
    );
    const rebuilt = await projections("rebuild", "tasks-view", "--cutover");
    expect(rebuilt.exitCode).toBe(1);
    expect(rebuilt.output).toContain("2 rows differ, 0 are allowed");
    const compared = await projections("compare", "tasks-view");
    expect(compared.stdout).toMatch(/^tasks_view +0 +1 +1 +\["t\d+"\] \["t\d+"\]$/m);
    expect(widest(compared.stdout)).toBeLessThanOrEqual(100);
    const over = await projections("cutover", "tasks-view", "--max-difference", "2", "--json");
    expect(over.exitCode).toBe(0);
    expect(JSON.parse(over.stdout)).toMatchObject({ differences: [{ different: 1, onlyInNew: 1 }] });
    expect(await taskRows()).toBe(200);
  });

  it("only begins when it need not wait, and can be given up", async () => {
    const begun = await projections("rebuild", "tasks-view", "--no-wait");
    expect([begun.exitCode, begun.stdout]).toEqual([0, expect.stringContaining("Building version 1")]);
    expect((await projections("drop", "tasks-view", "building")).stdout).toBe(
      "The building build of tasks-view is gone.\n",
    );
    expect((await projections("compare", "tasks-view")).exitCode).toBe(1);
  });
});
