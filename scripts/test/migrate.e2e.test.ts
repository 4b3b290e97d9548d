import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestDatabase, testEngines } from "@synap/database/testing";
import { expect, it } from "vitest";
import { runSynapCommand } from "../src/processes/run-command.ts";

// A URL at which nothing answers: a migration that begins fails.
const NOWHERE = { DATABASE_URL: "postgres://nobody:secret@127.0.0.1:9/none" };

async function migrate(args: readonly string[], env: Record<string, string> = NOWHERE) {
  const command = runSynapCommand(["migrate", ...args], { env });
  return { exitCode: await command.ended, output: command.output() };
}

it("shows its help without touching a database", async () => {
  const { exitCode, output } = await migrate(["--help"]);
  expect(exitCode).toBe(0);
  expect(output).toContain("Usage: npx -y pnpm@12 synap migrate [options]");
  expect(output).toContain("--print-hardening");
  expect(output).not.toContain("unavailable");
});

it("refuses an option that it doesn't know, without touching a database", async () => {
  const { exitCode, output } = await migrate(["--dry-run"]);
  expect(exitCode).toBe(2);
  expect(output).toContain('unknown option "--dry-run"');
});

it("prints the hardening statement without a database", async () => {
  const { exitCode, output } = await migrate(["--print-hardening"], {});
  expect(exitCode).toBe(0);
  expect(output).toContain("REVOKE");
});

it("explains a DATABASE_URL that names no database, without a stack", async () => {
  const { exitCode, output } = await migrate([], {
    DATABASE_URL: "postgres://synap:se#cret@127.0.0.1/synap",
  });
  expect(exitCode).toBe(2);
  expect(output).toContain("DATABASE_URL is not the URL of a PostgreSQL database");
  expect(output).not.toMatch(/ {4}at |se#cret/);
});

it.runIf(testEngines().includes("server"))(
  "applies everything when the reader of its output has gone",
  async () => {
    const test = await createTestDatabase("server");
    const folder = mkdtempSync(join(tmpdir(), "synap-migrate-"));
    const env = { DATABASE_URL: "url" in test.options ? test.options.url : "" };
    try {
      const config = writeApplication(folder, 30);
      const command = runSynapCommand(["migrate", "--config", config], { env });
      command.child.stdout?.destroy();
      expect(await command.ended).toBe(0);
      const { exitCode, output } = await migrate(["--config", config, "--check"], env);
      expect(output).toContain("nothing to do");
      expect(exitCode).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
      await test.drop();
    }
  },
);

/** Writes an application with migrations, and returns its config. */
function writeApplication(folder: string, migrations = 1): string {
  mkdirSync(join(folder, "node_modules/@synap"), { recursive: true });
  const synap = join(import.meta.dirname, "../../packages/synap");
  symlinkSync(synap, join(folder, "node_modules/@synap/synap"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(folder, "0001_orders.sql"), "CREATE SCHEMA shop;");
  for (let number = 2; number <= migrations; number += 1) {
    const name = `${String(number).padStart(4, "0")}_more.sql`;
    writeFileSync(join(folder, name), `CREATE TABLE shop.more_${number} ();`);
  }
  const config = join(folder, "synap.config.ts");
  writeFileSync(
    config,
    `import { defineConfig } from "@synap/synap";
     export default defineConfig({ migrations: { folder: new URL(".", import.meta.url), ledger: "shop" } });`,
  );
  return config;
}

it.runIf(testEngines().includes("server"))(
  "names with --check what is not applied, of the application too, and changes nothing",
  async () => {
    const test = await createTestDatabase("server");
    const folder = mkdtempSync(join(tmpdir(), "synap-migrate-"));
    const url = "url" in test.options ? test.options.url : "";
    try {
      const config = writeApplication(folder);
      const run = (...args: string[]) => migrate(["--config", config, ...args], { DATABASE_URL: url });
      for (let time = 1; time <= 2; time += 1) {
        const { exitCode, output } = await run("--check");
        expect(output).toContain("not applied: shop/0001_orders.sql\n1 migration is not applied");
        expect(exitCode).toBe(1);
      }
      expect((await run()).exitCode).toBe(0);
      expect(await run("--check")).toMatchObject({
        exitCode: 0,
        output: expect.stringContaining("nothing to do"),
      });
    } finally {
      rmSync(folder, { recursive: true });
      await test.drop();
    }
  },
);
