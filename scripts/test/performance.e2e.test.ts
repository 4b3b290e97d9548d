import postgres from "postgres";
import { describe, expect, it } from "vitest";
import { runCommand } from "../src/processes/run-command.ts";

const SCRIPT = "scripts/test-event-store-performance.ts";
const serverUrl = process.env["TEST_DATABASE_URL"];

describe("npx -y pnpm@12 performance", () => {
  it("measures the embedded engine and prints a report", async () => {
    const command = runCommand(SCRIPT, ["--embedded", "--events", "2000"]);
    await command.ended;
    expect(command.stdout()).toMatch(
      /event store on the embedded engine \(TimescaleDB \S+, community edition\)/,
    );
    expect(command.stdout()).toMatch(/100 appends of 1 event +[\d.]+ m?s/);
    expect(command.stdout()).toMatch(/2,000 events in batches: [\d,]+ events\/s/);
    expect(command.stdout()).toContain("met     events stored: 2,100 events");
    // The targets are for .ci/run, on a machine that does nothing else; here only the code must agree with the report.
    expect(await command.ended).toBe(command.stdout().includes("MISSED") ? 1 : 0);
  });

  it.skipIf(serverUrl === undefined)("measures a server as JSON, and leaves no database behind", async () => {
    const sql = postgres(serverUrl ?? "", { max: 1 });
    const databases = async () =>
      (await sql`SELECT datname FROM pg_database WHERE datname LIKE 'synap_performance_%'`).length;
    const before = await databases();
    const command = runCommand(SCRIPT, ["--json", "--events", "2000"], {
      env: { DATABASE_URL: serverUrl ?? "" },
    });
    await command.ended;
    expect(JSON.parse(command.stdout())).toMatchObject({
      engine: { engine: "server" },
      stored: 2100,
      queryMs: { p99: expect.any(Number) },
    });
    expect(await databases()).toBeLessThanOrEqual(before);
    await sql.end();
  });
});
