import { expect, it } from "vitest";
import { runCommand } from "../src/processes/run-command.ts";

// A URL at which nothing answers: a migration that begins fails.
const NOWHERE = { DATABASE_URL: "postgres://nobody:secret@127.0.0.1:9/none" };

async function migrate(args: readonly string[], env: Record<string, string> = NOWHERE) {
  const command = runCommand("apps/cli/src/migrate.ts", args, { env });
  return { exitCode: await command.ended, output: command.output() };
}

it("shows its help without touching a database", async () => {
  const { exitCode, output } = await migrate(["--help"]);
  expect(exitCode).toBe(0);
  expect(output).toContain("Usage: migrate [options]");
  expect(output).toContain("--print-hardening");
  expect(output).not.toContain("unavailable");
});

it("refuses an option that it doesn't know, without touching a database", async () => {
  const { exitCode, output } = await migrate(["--dry-run"]);
  expect(exitCode).toBe(1);
  expect(output).toContain("unknown option '--dry-run'");
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
  expect(exitCode).toBe(1);
  expect(output).toContain("DATABASE_URL is not the URL of a PostgreSQL database");
  expect(output).not.toMatch(/ {4}at |se#cret/);
});
