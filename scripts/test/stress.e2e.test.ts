import postgres from "postgres";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { runCommand } from "../src/processes/run-command.ts";

const SCRIPT = "scripts/src/stress.ts";
const serverUrl = process.env["TEST_DATABASE_URL"];

const resultSchema = z.object({
  appended: z.number(),
  faults: z.number(),
  readers: z.array(z.object({ read: z.number(), lost: z.number() })),
  store: z.record(z.string(), z.number()),
  kills: z.object({ writers: z.number(), readers: z.number() }),
});

async function stress(args: readonly string[], env: Record<string, string> = {}) {
  const command = runCommand(SCRIPT, ["--seconds", "3", "--writers", "3", "--json", ...args], { env });
  const exitCode = await command.ended;
  if (!command.stdout().startsWith("{")) throw new Error(command.output());
  return { exitCode, result: resultSchema.parse(JSON.parse(command.stdout())) };
}

describe("npx -y pnpm@12 stress", () => {
  it("finds no fault in the embedded engine, and prints so", async () => {
    const command = runCommand(SCRIPT, ["--embedded", "--seconds", "3", "--writers", "3", "--kill", "0"]);
    expect(await command.ended, command.output()).toBe(0);
    expect(command.stdout()).toMatch(
      /^stress on the embedded engine .* 3 s, 3 writers, 4 readers, seed \d+$/m,
    );
    expect(command.stdout()).toMatch(/^events appended +[1-9]/m);
    expect(command.stdout()).toMatch(/^1 from the start +[\d,]+( +0){6}$/m);
    expect(command.stdout()).toContain("Nothing lost, nothing repeated, nothing out of order.");
  });

  it("refuses to take the watermark out where that would show nothing", async () => {
    const command = runCommand(SCRIPT, ["--embedded", "--sabotage"]);
    expect(await command.ended).toBe(2);
    expect(command.output()).toContain("--sabotage needs a server");
  });

  describe.skipIf(serverUrl === undefined)("on a server", () => {
    const env = { DATABASE_URL: serverUrl ?? "" };

    it("finds no fault although a process is killed, and leaves no database behind", async () => {
      const sql = postgres(serverUrl ?? "", { max: 1 });
      const databases = async () =>
        (await sql`SELECT datname FROM pg_database WHERE datname LIKE 'synap_stress_%'`).length;
      const before = await databases();
      const { exitCode, result } = await stress(["--kill", "1"], env);
      expect(result).toMatchObject({ faults: 0 });
      expect(result.appended).toBeGreaterThan(0);
      expect(result.kills.writers + result.kills.readers).toBeGreaterThan(0);
      expect(exitCode).toBe(0);
      expect(await databases()).toBeLessThanOrEqual(before);
      await sql.end();
    });

    it("shows losses, and exits 1, once the watermark is taken out", async () => {
      const { exitCode, result } = await stress(["--sabotage", "--kill", "0"], env);
      expect(result.readers.reduce((sum, { lost }) => sum + lost, 0)).toBeGreaterThan(0);
      expect(
        Object.values(result.store).filter((faults) => faults > 0),
        "only the readers suffer",
      ).toEqual([]);
      expect(exitCode).toBe(1);
    });
  });
});
