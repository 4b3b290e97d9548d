import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** The embedded store in memory's place: a directory of its own. Nothing answers at the server's address. */
const NOWHERE = "postgres://127.0.0.1:1/none";
const cleanups: (() => Promise<unknown> | undefined)[] = [];

/** Fails on signals, in code of the process itself. */
const FAILING = `data:text/javascript,${encodeURIComponent(`
process.on("SIGUSR2", () => void Promise.reject(new Error("nobody awaits this")));
process.on("SIGWINCH", () => setImmediate(() => { throw new Error("nobody catches this"); }));`)}`;

function run(file: string, variables: Record<string, string>, args: string[] = [], logTo?: string) {
  const child: ChildProcess = spawn(
    process.execPath,
    ["--import", "tsx", "--import", FAILING, join(root, file), ...args],
    {
      cwd: root,
      env: { PATH: process.env["PATH"], ...variables },
      stdio:
        logTo === undefined
          ? ["ignore", "pipe", "pipe"]
          : ["ignore", openSync(logTo, "w"), openSync(logTo, "w")],
    },
  );
  let said = "";
  child.stdout?.on("data", (chunk) => (said += chunk));
  child.stderr?.on("data", (chunk) => (said += chunk));
  const exit = once(child, "exit").then(([code]: unknown[]) => code);
  cleanups.push(() => {
    child.kill("SIGKILL");
    return exit;
  });
  const untilSaid = (pattern: RegExp) =>
    expect.poll(() => `${child.exitCode ?? "runs"} ${said}`, { interval: 20 }).toMatch(pattern);
  return { child, exit, untilSaid, said: () => said };
}

/** A database server that ends every connection as soon as it is made, and counts them. */
async function refusingServer() {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `postgres://127.0.0.1:${port}/none`, connections: () => connections };
}

const broker = { INNGEST_BASE_URL: "http://127.0.0.1:1", INNGEST_DEV: "1" };
const waiting = { DATABASE_URL: NOWHERE, SYNAP_API_PORT: "0", SYNAP_WORKER_PORT: "0" };

describe("the processes", () => {
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  function start(name: string, variables: Record<string, string> = {}) {
    if (name !== "start") return run(`apps/${name}/src/main.ts`, { ...waiting, ...broker, ...variables });
    const directory = mkdtempSync(join(tmpdir(), "synap-entry-"));
    cleanups.push(async () => rmSync(directory, { recursive: true, force: true }));
    const ports = ["--port", "0", "--worker-port", "0", "--broker-port", "0"];
    return run("apps/cli/src/synap-cli.ts", variables, ["start", "--data", directory, ...ports]);
  }

  it.each([
    ["api", /waiting for the database/],
    ["worker", /waiting for the database/],
    ["start", /http:\/\/127\.0\.0\.1/],
  ])(
    "%s survives a rejection that nobody awaits, and ends with 1 after an exception of its own",
    async (name, isUp) => {
      const { child, exit, untilSaid } = start(name);
      await untilSaid(isUp);
      child.kill("SIGUSR2");
      await untilSaid(
        /^runs [\s\S]*a promise that nothing awaits of unknown code failed: nobody awaits this/,
      );
      child.kill("SIGWINCH");
      expect(await exit).toBe(1);
      await untilSaid(/an exception that nothing caught ends the process: nobody catches this/);
    },
  );

  it.each([
    ["api", "INNGEST_EVENT_KEY"],
    ["worker", "INNGEST_SIGNING_KEY"],
  ])(
    "%s refuses to start while nobody has chosen a broker, and takes the cloud only by name and with its key",
    async (name, key) => {
      const withKey = {
        ...waiting,
        [key]: "signkey-prod-12345678",
        INNGEST_SERVE_ORIGIN: "http://127.0.0.1:3401",
      };
      const notChosen = run(`apps/${name}/src/main.ts`, withKey);
      expect(await notChosen.exit).toBe(2);
      expect(notChosen.said()).toContain("INNGEST_BASE_URL is not set");
      expect(notChosen.said()).not.toContain("waiting for the database");

      const withoutKey = run(`apps/${name}/src/main.ts`, { ...waiting, INNGEST_CLOUD: "1" });
      expect(await withoutKey.exit).toBe(2);
      expect(withoutKey.said()).toContain(`INNGEST_CLOUD=1 needs ${key}`);

      const chosen = run(`apps/${name}/src/main.ts`, { ...withKey, INNGEST_CLOUD: "1" });
      await chosen.untilSaid(/^runs [\s\S]*waiting for the database/);
    },
  );

  it.each(["SYNAP_API_HOST", "SYNAP_WORKER_HOST"])(
    "start serves this machine only: it refuses %s",
    async (name) => {
      const started = start("start", { [name]: "0.0.0.0" });
      expect(await started.exit).toBe(2);
      expect(started.said()).toContain(`${name} is 0.0.0.0`);
    },
  );

  it.each(["api", "worker", "start"])("%s warns of a misspelt setting, and starts", async (name) => {
    const { untilSaid } = start(name, { SYNAP_LOCK_TIMEUOT_MS: "1" });
    await untilSaid(/^runs [\s\S]*SYNAP_LOCK_TIMEUOT_MS is set, [^.]*did you mean \\?"SYNAP_LOCK_TIMEOUT_MS/);
    await untilSaid(name === "start" ? /http:\/\/127\.0\.0\.1/ : /waiting for the database/);
  });

  it.each(["api", "worker"])("%s warns on Vault without a ledger of erased subjects", async (name) => {
    const { untilSaid } = start(name, { SYNAP_VAULT_URL: NOWHERE, SYNAP_VAULT_TOKEN: "none" });
    await untilSaid(
      /SYNAP_ERASURE_LEDGER is not set: a restored backup would bring erased personal data back/,
    );
  });

  it.each([
    ["migrate", ["--check"]],
    ["status", ["--token", "none"]],
    ["load", ["no-such-file"]],
    ["compress", []],
    ["verify", []],
    ["schemas", ["check", "--lock", "no-such-file"]],
    ["purge", ["--user", "ada"]],
    ["archive", ["list"]],
    ["retention", ["list"]],
    ["subjects", ["show", "ada"]],
    ["inngest-local", ["--port", "0"]],
  ])("the command %s warns of a misspelt setting", async (name, args) => {
    const variables = { DATABASE_URL: NOWHERE, SYNAP_ULR: NOWHERE };
    const { untilSaid } = run("apps/cli/src/synap-cli.ts", variables, [name, ...args]);
    await untilSaid(/SYNAP_ULR is set, but Synap has no setting of this name \(did you mean "SYNAP_URL"\?\)/);
  });

  it.each(["json", "pretty"])("live while their log can't be written (%s)", async (format) => {
    const database = await refusingServer();
    const { child, exit } = run(
      "apps/worker/src/main.ts",
      { ...waiting, ...broker, DATABASE_URL: database.url, SYNAP_LOG_FORMAT: format },
      [],
      "/dev/full",
    );
    // It logs that it waits each time before it tries again. Only a process that has lived through that tries a third
    // time, and answers the signal with 1.
    await expect.poll(() => child.exitCode ?? database.connections()).toBeGreaterThanOrEqual(3);
    child.kill("SIGWINCH");
    expect(await exit).toBe(1);
  });
});
