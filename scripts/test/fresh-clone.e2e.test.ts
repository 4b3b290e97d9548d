import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type RunningCommand, runCommand } from "../src/processes/run-command.ts";
import { readPageTour } from "./processes/page-tour.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const FREE = ["--port", "0", "--worker-port", "0", "--broker-port", "0"];

let directory: string;
let clone: string;
let running: RunningCommand[] = [];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "synap-fresh-"));
  clone = join(directory, "synap");
  mkdirSync(join(directory, "home"));
  execFileSync("git", ["clone", "--quiet", "--depth", "1", `file://${repository}`, clone]);
  // What is changed and not yet committed is to be tested as well.
  const list = (...options: string[]) =>
    execFileSync("git", ["ls-files", "-z", ...options], { cwd: repository, encoding: "utf8" })
      .split("\0")
      .filter((file) => file !== "");
  for (const file of list("--modified", "--others", "--exclude-standard")) {
    rmSync(join(clone, file), { force: true });
    if (!existsSync(join(repository, file))) continue;
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    copyFileSync(join(repository, file), join(clone, file));
  }
});
afterEach(async () => {
  for (const command of running) {
    signalGroup(command, "SIGKILL");
    await command.ended;
  }
  running = [];
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs a command in the clone with a PATH and an empty home, without a terminal, as a process group of its own. */
function newcomer(...command: string[]): RunningCommand {
  const environment = [`PATH=${process.env["PATH"]}`, `HOME=${join(directory, "home")}`];
  const script = 'cd "$1" && shift && exec env -i "$@"';
  const started = runCommand(["sh", "-c", script, "sh", clone, ...environment, ...command], [], {
    detached: true,
  });
  running.push(started);
  return started;
}

function signalGroup({ child }: RunningCommand, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-child.pid, signal);
}

/** Waits until it is ready, which includes an install on the first call, and publishes the README's first event. */
async function publishTheFirstEvent(synap: RunningCommand): Promise<void> {
  await synap.waitFor(/Ctrl-C stops it\./, 600_000);
  const [, url = ""] = await synap.waitFor(/^ {2}API +(http:\S+)$/m);
  const [publish] = (await readPageTour("README.md")).stops;
  const commands = publish?.commands.replaceAll("http://127.0.0.1:3400", url) ?? "";
  const response = JSON.parse(execFileSync("bash", ["-c", commands], { encoding: "utf8" }));
  expect(response).toMatchObject({ status: "accepted", id: expect.any(String) });
}

const stops = (synap: RunningCommand) => synap.output().match(/^Stop(ping|ped)\b/gm);

describe("on a fresh clone, with Node.js and npm only, an empty home and no terminal", () => {
  it("npm start installs, takes the README's event, and ends on SIGTERM to npm", async () => {
    const synap = newcomer("npm", "start", "--", ...FREE);
    await publishTheFirstEvent(synap);
    expect(synap.output()).toContain("Installing what Synap needs");
    synap.child.kill("SIGTERM");
    expect(await synap.ended).toBe(0);
    expect(stops(synap)).toEqual(["Stopping", "Stopped"]);
  });

  it("npm start stops once on Ctrl-C, which the terminal sends to every process and npm sends again", async () => {
    const synap = newcomer("npm", "start", "--", ...FREE);
    await publishTheFirstEvent(synap);
    expect(synap.output()).not.toContain("Installing");
    signalGroup(synap, "SIGINT");
    expect(await synap.ended).toBe(0);
    expect(stops(synap)).toEqual(["Stopping", "Stopped"]);
  });

  it("npm start stops on SIGINT to npm alone", async () => {
    const synap = newcomer("npm", "start", "--", ...FREE);
    await publishTheFirstEvent(synap);
    synap.child.kill("SIGINT");
    expect(await synap.ended).toBe(0);
    expect(stops(synap)).toEqual(["Stopping", "Stopped"]);
  });

  it("pnpm starts it as well, without installing again", async () => {
    const synap = newcomer("npx", "-y", "pnpm@12", "start", ...FREE);
    await publishTheFirstEvent(synap);
    expect(synap.output()).not.toContain("Installing");
    signalGroup(synap, "SIGINT");
    await synap.ended;
    expect(stops(synap)).toEqual(["Stopping", "Stopped"]);
  });

  it("npm test checks types and lint, then runs the tests that its arguments name", async () => {
    const test = newcomer("npm", "test", "--", "packages/http");
    expect(await test.ended, test.output()).toBe(0);
    expect(test.output()).toMatch(/Tests .*\d+ passed/);
    const wrong = newcomer("npm", "test", "--", "no-such-test");
    expect(await wrong.ended).toBe(1);
  });
});
