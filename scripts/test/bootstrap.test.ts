import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RunningCommand, runCommand } from "../src/processes/run-command.ts";

// The installer is the one part that is not real: it writes down how it was called and does what its INSTALLER says.
// fresh-clone.e2e.test.ts runs the same commands with npm, pnpm and the registry.
const INSTALLER = `
import { appendFileSync, copyFileSync, mkdirSync, symlinkSync } from "node:fs";
appendFileSync("installer.log", JSON.stringify(process.argv.slice(2)) + "\\n");
console.log("installing as", process.pid);
if (process.env.INSTALLER === "fail") process.exit(7);
if (process.env.INSTALLER === "wait") setInterval(() => undefined, 1000);
else {
  mkdirSync("node_modules/.pnpm", { recursive: true });
  try { symlinkSync(process.env.TSX, "node_modules/tsx"); } catch {}
  copyFileSync("pnpm-lock.yaml", "node_modules/.pnpm/lock.yaml");
}
`;
const repository = fileURLToPath(new URL("../..", import.meta.url));
const tsx = realpathSync(join(repository, "node_modules", "tsx"));

let root: string;
let running: RunningCommand[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "synap-bootstrap-"));
  running = [];
  mkdirSync(join(root, "scripts"), { recursive: true });
  mkdirSync(join(root, "apps", "cli", "src"), { recursive: true });
  for (const file of ["package.json", "scripts/bootstrap.mjs"]) {
    copyFileSync(join(repository, file), join(root, file));
  }
  writeFileSync(join(root, "pnpm-lock.yaml"), "lockfileVersion: 1\n");
  writeFileSync(join(root, "installer.mjs"), INSTALLER);
  writeFileSync(
    join(root, "apps", "cli", "src", "synap-cli.ts"),
    "const args: string[] = process.argv.slice(2); console.log('started', JSON.stringify(args)); process.exitCode = 3;",
  );
});
afterEach(async () => {
  for (const command of running) {
    command.child.kill("SIGKILL");
    await command.ended;
  }
  rmSync(root, { recursive: true, force: true });
});

function bootstrap(args: readonly string[], env: Record<string, string> = {}): RunningCommand {
  const command = runCommand([process.execPath, join(root, "scripts", "bootstrap.mjs")], args, {
    env: {
      npm_config_user_agent: "npm/11.0.0 node/v20.0.0",
      npm_execpath: join(root, "installer.mjs"),
      TSX: tsx,
      ...env,
    },
  });
  running.push(command);
  return command;
}

function installs(): string[][] {
  const log = join(root, "installer.log");
  if (!existsSync(log)) return [];
  return readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const lock = () => join(root, "node_modules", ".synap-install.lock");

describe("the bootstrap of npm start and npm test", () => {
  it("installs the lockfile with a pnpm that npm fetches without asking, then starts with all arguments", async () => {
    const command = bootstrap(["start", "--port", "4000", "--data", "a b"]);
    expect(await command.ended).toBe(3);
    expect(command.stdout()).toBe('started ["start","--port","4000","--data","a b"]\n');
    expect(installs()).toEqual([
      [
        "exec",
        "--yes",
        "--prefer-offline",
        "--fetch-retries=1",
        "--fetch-retry-mintimeout=1000",
        "--package=pnpm@12",
        "--",
        "pnpm",
        "install",
        "--frozen-lockfile",
        "--config.confirmModulesPurge=false",
      ],
    ]);
    expect(existsSync(lock())).toBe(false);
  });

  it("installs again only when the lockfile has changed", async () => {
    await bootstrap(["start"]).ended;
    await bootstrap(["start"]).ended;
    expect(installs()).toHaveLength(1);
    writeFileSync(join(root, "pnpm-lock.yaml"), "lockfileVersion: 2\n");
    await bootstrap(["start"]).ended;
    expect(installs()).toHaveLength(2);
  });

  it("lets one of several first runs install, while the others wait for it by name", async () => {
    const first = bootstrap(["start"], { INSTALLER: "wait" });
    await first.waitFor(/installing/);
    const others = [bootstrap(["start"]), bootstrap(["start"]), bootstrap(["start"])];
    for (const other of others) await other.waitFor(new RegExp(`Waiting for process ${first.child.pid},`));
    // With the first one gone in the middle of it, one of the others installs.
    first.child.kill("SIGTERM");
    expect(await first.ended).toBe(143);
    expect(first.output()).toMatch(/\nInterrupted\. Nothing was started\.\n$/);
    expect(first.output()).not.toContain("failed");
    for (const other of others) expect(await other.ended).toBe(3);
    expect(installs()).toHaveLength(2);
  });

  it("takes over from an install that was killed", async () => {
    const killed = bootstrap(["start"], { INSTALLER: "wait" });
    const [, installer] = await killed.waitFor(/installing as (\d+)/);
    expect(readFileSync(lock(), "utf8")).toMatch(new RegExp(`^${killed.child.pid} `));
    killed.child.kill("SIGKILL");
    process.kill(Number(installer), "SIGKILL");
    expect(await killed.ended).toBe("SIGKILL");
    expect(await bootstrap(["start"]).ended).toBe(3);
    expect(installs()).toHaveLength(2);
    expect(existsSync(lock())).toBe(false);
  });

  it("ends with the code of an install that failed, and starts nothing", async () => {
    const command = bootstrap(["start"], { INSTALLER: "fail" });
    expect(await command.ended).toBe(7);
    expect(command.output()).toContain("The installation failed");
    expect(command.stdout()).toBe("");
    expect(existsSync(lock())).toBe(false);
  });

  it("uses the pnpm that runs it", async () => {
    const command = bootstrap(["start"], { npm_config_user_agent: "pnpm/12.3.4 npm/? node/?" });
    expect(await command.ended).toBe(3);
    expect(installs()).toEqual([["install", "--frozen-lockfile", "--config.confirmModulesPurge=false"]]);
  });

  it("names the Node.js that is too old and the one it needs", async () => {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    writeFileSync(join(root, "package.json"), JSON.stringify({ ...manifest, engines: { node: ">=99" } }));
    const command = bootstrap(["start"]);
    expect(await command.ended).toBe(1);
    expect(command.output()).toContain(
      `Synap needs Node.js 99 or newer, and ${process.execPath} is ${process.version}.`,
    );
    expect(installs()).toEqual([]);
  });
});
