import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readReport } from "../src/report/keep-report.ts";

const command = fileURLToPath(new URL("example-command.ts", import.meta.url));
const repository = fileURLToPath(new URL("../..", import.meta.url));
const serverUrl = process.env["TEST_DATABASE_URL"];

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "synap-bench-command-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const inDirectory = (name: string) => join(directory, name);

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs the command to its end; `onOutput` sees everything it printed so far, each time that it prints. */
function run(
  args: readonly string[],
  environment: Record<string, string> = {},
  onOutput: (output: string, child: ChildProcess) => void = () => undefined,
): Promise<Ended> {
  const { DATABASE_URL: _unwanted, ...inherited } = process.env;
  const child = spawn(process.execPath, ["--import", "tsx", command, ...args], {
    cwd: repository,
    env: { ...inherited, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((resolve, reject) => {
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        output += String(chunk);
        onOutput(output, child);
      });
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}

describe("the bench command", () => {
  it("lists what there is", async () => {
    expect(await run(["--list"])).toEqual({
      code: 0,
      output: "sound    One that runs\nendless  One that ends when it is asked to\n",
    });
  });

  it("measures, writes the report three times, and keeps it as the baseline of later runs", async () => {
    const baseline = inDirectory("baseline.json");
    const quick = ["--quick", "--baseline", baseline];
    const first = await run([...quick, "--output", inDirectory("first"), "--save-baseline"]);
    expect(first.output).toContain("kept as the baseline");
    expect(first.output).toContain("skipped: the server: no DATABASE_URL");
    expect(first.output).toMatch(/embedded engine +TimescaleDB \S+, community edition, PostgreSQL \d+/);
    expect(first.code).toBe(0);
    expect(readReport(inDirectory("first/report.json"))?.benchmarks.map(({ status }) => status)).toEqual([
      "done",
      "done",
    ]);
    expect(readFileSync(inDirectory("first/report.md"), "utf8")).toContain("## One that runs");
    expect(readFileSync(inDirectory("first/report.html"), "utf8")).toContain("<svg");
    expect(readReport(baseline)?.benchmarks[0]?.figures[0]?.value).toBe(1);

    const again = await run([...quick, "--output", inDirectory("again")]);
    expect(again.output).toContain("Compared with the baseline of");
    expect(again.code).toBe(0);

    const slow = await run([...quick, "--output", inDirectory("slow")], { EXAMPLE_VALUE: "0.4" });
    expect(slow.output).toContain("REGRESSION: example");
    expect(slow.output).toContain("2.5× WORSE");
    expect(slow.code).toBe(1);
  });

  it("reports the others when one fails, and keeps no baseline of that", async () => {
    const baseline = inDirectory("none.json");
    const args = ["--quick", "--baseline", baseline, "--output", inDirectory("failed"), "--save-baseline"];
    const { code, output } = await run(args, { EXAMPLE_FAILS: "yes" });
    expect(output).toContain("FAILED: broken");
    expect(output).toContain("no such table");
    expect(output).toContain("Not kept as the baseline");
    expect(readReport(inDirectory("failed/report.json"))?.benchmarks.map(({ status }) => status)).toEqual([
      "done",
      "failed",
      "done",
    ]);
    expect(existsSync(baseline)).toBe(false);
    expect(code).toBe(1);
  });

  it("fails for a missed target only when it is strict", async () => {
    const args = ["sound", "--output", inDirectory("missed")];
    const missed = await run(args, { EXAMPLE_VALUE: "0.7" });
    expect(missed.output).toContain("targets: 0 met, 1 missed");
    expect(missed.code).toBe(0);
    expect((await run([...args, "--strict"], { EXAMPLE_VALUE: "0.7" })).code).toBe(1);
  });

  it("stops on Ctrl-C with a report of what was measured by then", async () => {
    let interrupted = false;
    const args = ["--output", inDirectory("interrupted")];
    const { code, output } = await run(args, {}, (soFar, child) => {
      if (interrupted || !soFar.includes("sound: done")) return;
      interrupted = true;
      child.kill("SIGINT");
    });
    expect(output).toContain("interrupted: the report holds what was measured by then");
    expect(code).toBe(130);
    expect(readReport(inDirectory("interrupted/report.json"))?.benchmarks).toMatchObject([
      { name: "sound", status: "done", figures: [{}] },
      { name: "endless", status: expect.stringMatching(/^(interrupted|not run)$/) },
    ]);
  });

  it("refuses before it measures anything, and says why", async () => {
    const broken = inDirectory("broken.json");
    writeFileSync(broken, '{ "format": 1, "mode": "slow" }');
    const refused = async (args: readonly string[], environment = {}, expected = 2) => {
      const { code, output } = await run(args, environment);
      expect(code).toBe(expected);
      expect(output).not.toContain("starting");
      expect(output).not.toMatch(/^ +at /m);
      return output;
    };
    expect(await refused(["soundly"])).toContain(
      "There is no benchmark soundly. Choose from: sound, endless.",
    );
    expect(await refused(["--baseline", broken], {}, 1)).toContain(
      `${broken} is no report of this benchmark: mode must be one of "full", "quick"`,
    );
    expect(await refused(["--baseline", inDirectory("gone.json")])).toContain("There is no file");
    expect(await refused(["--baseline", inDirectory("baseline.json")])).toContain(
      "is of a quick run and can't be compared with a full one",
    );
    const away = { DATABASE_URL: "postgres://someone:secret@127.0.0.1:1/postgres" };
    const unreachable = await refused([], away, 1);
    expect(unreachable).toMatch(
      /DATABASE_URL \(postgres:\/\/someone:\*\*\*@127.0.0.1:1\/postgres\) can't be/,
    );
    expect(unreachable).toContain("ECONNREFUSED");
    expect(unreachable).not.toContain("secret");
  });

  it.skipIf(serverUrl === undefined)("describes the server too, and leaves no database behind", async () => {
    const sql = postgres(serverUrl ?? "", { max: 1 });
    const databases = async () =>
      (await sql`SELECT datname FROM pg_database WHERE datname LIKE 'synap_bench_engine_%'`).length;
    const before = await databases();
    const { code, output } = await run(["sound", "--output", inDirectory("server")], {
      DATABASE_URL: serverUrl ?? "",
    });
    expect(code).toBe(0);
    expect(output).toMatch(/server engine +TimescaleDB \S+, (community|apache) edition, PostgreSQL \d+/);
    expect(await databases()).toBeLessThanOrEqual(before);
    await sql.end();
  });
});
