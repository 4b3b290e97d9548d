// @ts-check
// What `npm start` and `npm test` run: installs the workspace's packages where that is needed, then runs the command.
//
//   node scripts/bootstrap.mjs start [options]      Synap, in this very process; the options are those of `synap start`
//   node scripts/bootstrap.mjs test [arguments]     lint and types, then Vitest with the arguments
//
// Node.js and npm are all it needs: plain JavaScript and no packages, because it runs before anything is installed.
// docs/decisions/0016-two-commands-need-npm-only.md has the reasons.
import { spawn } from "node:child_process";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { constants, uptime } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const commands = { start, test };

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

async function main() {
  refuseOldNode();
  const [name = "", ...args] = process.argv.slice(2);
  const command = Object.entries(commands).find(([each]) => each === name)?.[1];
  if (command === undefined) {
    console.error(`usage: node scripts/bootstrap.mjs ${Object.keys(commands).join("|")} [arguments]`);
    process.exit(2);
  }
  await installWhereNeeded();
  await command(args);
}

/**
 * No process between npm and Synap: a signal reaches the program itself, and its exit code is npm's.
 *
 * @param {string[]} args
 */
async function start(args) {
  const program = join(root, "apps", "cli", "src", "synap-cli.ts");
  process.argv.splice(1, process.argv.length, program, "start", ...args);
  await import("tsx");
  await import(pathToFileURL(program).href);
}

/** @param {string[]} args */
async function test(args) {
  exitUnlessZero(await run(pnpm(["run", "check"]), { stdio: ["ignore", 1, 2], detached: true }));
  exitUnlessZero(
    await run([process.execPath, join(root, "node_modules", "vitest", "vitest.mjs"), "run", ...args]),
  );
}

function refuseOldNode() {
  const needed = Number(/\d+/.exec(manifest.engines.node)?.[0]);
  if (Number(process.versions.node.split(".")[0]) >= needed) return;
  console.error(
    `Synap needs Node.js ${needed} or newer, and ${process.execPath} is ${process.version}.\n` +
      "Install a newer one (https://nodejs.org/en/download) and run the command again.",
  );
  process.exit(1);
}

async function installWhereNeeded() {
  if (isInstalled()) return;
  const release = await takeInstallLock();
  // Another process may have installed while this one waited.
  if (isInstalled()) return release();
  console.error(
    "Installing what Synap needs: pnpm and the packages, from npm's registry. With a slow network this takes a minute or two.",
  );
  // Without a terminal pnpm would refuse to replace packages that another package manager installed.
  const install = pnpm(["install", "--frozen-lockfile", "--config.confirmModulesPurge=false"]);
  const code = await run(install, { stdio: ["ignore", 2, 2], detached: true });
  release();
  if (code > 128) console.error("\nInterrupted. Nothing was started.");
  else if (code !== 0) console.error("\nThe installation failed, for the reason above. Nothing was started.");
  exitUnlessZero(code);
}

/** Checks that the installed packages match the lockfile, of which pnpm keeps a copy at the end of an install. */
function isInstalled() {
  const wanted = readIfThere(join(root, "pnpm-lock.yaml"));
  return wanted !== undefined && wanted === readIfThere(join(root, "node_modules", ".pnpm", "lock.yaml"));
}

/**
 * The command line of pnpm with arguments: the pnpm that runs this script, otherwise one that npm fetches without asking.
 *
 * @param {string[]} args
 */
function pnpm(args) {
  const [major] = manifest.devEngines.packageManager.version.split(".");
  const { npm_config_user_agent: agent = "", npm_execpath: path = "" } = process.env;
  const manager = /\.[cm]?js$/.test(path) ? [process.execPath, path] : [path];
  if (agent.startsWith(`pnpm/${major}.`) && path !== "") return [...manager, ...args];
  // What was fetched once is used again without asking the registry, so that this works offline.
  // A failed request is repeated once, not twice with growing pauses, which without a network would be a minute of silence.
  const retries = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000"];
  const fetched = ["--yes", "--prefer-offline", ...retries, `--package=pnpm@${major}`, "--", "pnpm", ...args];
  return agent.startsWith("npm/") && path !== "" ? [...manager, "exec", ...fetched] : ["npx", ...fetched];
}

/**
 * Runs a program to its end and resolves with its exit code, or with what a shell makes of the signal that ended it. A
 * signal to this process ends the program first, and is never answered with 0.
 *
 * @param {string[]} command
 * @param {import("node:child_process").SpawnOptions} [options] `detached`: it starts programs of its own, which a signal
 *   has to reach as well; such a group can't read from the terminal
 * @returns {Promise<number>}
 */
async function run([program = "", ...args], options = { stdio: "inherit" }) {
  const child = spawn(program, args, { cwd: root, ...options });
  let code = 0;
  /** @param {NodeJS.Signals} signal */
  const passOn = (signal) => {
    code = 128 + constants.signals[signal];
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    process.kill(options.detached ? -child.pid : child.pid, signal);
  };
  process.on("SIGINT", passOn);
  process.on("SIGTERM", passOn);
  /** @type {[number | null, NodeJS.Signals | null]} */
  const [exitCode, signal] = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (...ended) => resolve(ended));
  });
  process.off("SIGINT", passOn);
  process.off("SIGTERM", passOn);
  if (signal !== null) return 128 + constants.signals[signal];
  return exitCode || code;
}

/** @param {number} code */
function exitUnlessZero(code) {
  if (code !== 0) process.exit(code);
}

/**
 * Waits until no other process installs here, and takes its place. The lock is a file that is made by linking, which
 * exactly one process can do; one that was left by a process that has ended is taken away first.
 *
 * @returns {Promise<() => void>} gives the lock back
 */
async function takeInstallLock() {
  const lock = join(root, "node_modules", ".synap-install.lock");
  const draft = `${lock}.${process.pid}`;
  mkdirSync(join(root, "node_modules"), { recursive: true });
  const mine = `${process.pid} ${Date.now()}`;
  let waited = false;
  for (;;) {
    writeFileSync(draft, mine);
    try {
      linkSync(draft, lock);
      return () => {
        if (readIfThere(lock) === mine) rmSync(lock);
      };
    } catch (error) {
      if (!isCode(error, "EEXIST")) throw error;
    } finally {
      rmSync(draft, { force: true });
    }
    const holder = readIfThere(lock);
    if (holder === undefined) continue;
    const [pid = 0, since = 0] = holder.split(" ").map(Number);
    const startOfMachine = Date.now() - uptime() * 1000;
    if (pid === process.pid || since < startOfMachine || !isRunning(pid)) {
      takeAway(lock, holder, draft);
      continue;
    }
    if (!waited) console.error(`Waiting for process ${pid}, which is already installing (it holds ${lock}).`);
    waited = true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * Removes a lock that was read as `content`. Another process may have taken it over since: then it gets it back.
 *
 * @param {string} lock
 * @param {string} content
 * @param {string} aside
 */
function takeAway(lock, content, aside) {
  try {
    renameSync(lock, aside);
    if (readIfThere(aside) !== content) linkSync(aside, lock);
  } catch (error) {
    if (!isCode(error, "ENOENT") && !isCode(error, "EEXIST")) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, "EPERM");
  }
}

/** @param {string} path */
function readIfThere(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/**
 * @param {unknown} error
 * @param {string} code
 */
function isCode(error, code) {
  return error instanceof Error && "code" in error && error.code === code;
}
