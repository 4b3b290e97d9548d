import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RunningCommand, runSynapCommand } from "../src/processes/run-command.ts";

const FREE = ["--port", "0", "--worker-port", "0", "--broker-port", "0"];

let directory: string;
let commands: RunningCommand[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "synap-start-"));
  commands = [];
});
afterEach(async () => {
  for (const command of commands) {
    command.child.kill("SIGKILL");
    await command.ended;
  }
  rmSync(directory, { recursive: true, force: true });
});

function start(args: readonly string[] = FREE, env: Record<string, string> = {}): RunningCommand {
  const command = runSynapCommand(["start", "--data", join(directory, "data"), ...args], { env });
  commands.push(command);
  return command;
}

async function ready(command: RunningCommand): Promise<string> {
  const [, url = ""] = await command.waitFor(/^ {2}API +(http:\S+)$/m, 60_000);
  await command.waitFor(/Ctrl-C stops it\./);
  return url;
}

async function eventually(url: string, found: (body: string) => boolean): Promise<string> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const body = await (await fetch(url)).text();
    if (found(body) || Date.now() > deadline) return body;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe("npm start", () => {
  it("exits with 1 when the embedded engine has ended, names the reason, and has everything at the next start", async () => {
    const hook = new URL("./processes/end-engine-on-signal.mjs", import.meta.url).href;
    const first = start(FREE, { NODE_OPTIONS: `--import=${hook}` });
    const url = await ready(first);
    const event = { type: "note.creation.completed", data: { content: "kept" } };
    const response = await fetch(`${url}/api/v1/streams/note/kept/events`, {
      method: "POST",
      body: JSON.stringify({ events: [event] }),
      headers: { "content-type": "application/json" },
    });
    expect(response.status).toBe(201);
    first.child.kill("SIGUSR2");
    expect(await first.ended).toBe(1);
    expect(first.output()).toMatch(/The database is unavailable: its thread has ended/);
    const again = await ready(start());
    expect(await (await fetch(`${again}/api/v1/streams/note/kept`)).json()).toMatchObject({
      streamVersion: 1,
      events: [{ data: { content: "kept" } }],
    });
  });

  it("prints a curl line that works as pasted, stops on SIGTERM with 0, and has kept everything", async () => {
    const first = start();
    const url = await ready(first);
    const [, curl = ""] = first.output().match(/Publish an event:\n\n([\s\S]*?)\n\nand read it:/) ?? [];
    expect(JSON.parse(execFileSync("bash", ["-c", curl], { encoding: "utf8" }))).toMatchObject({
      status: "accepted",
    });
    const [, operate = ""] = first.output().match(/every scope:\n\n {2}(.*)/) ?? [];
    expect(JSON.parse(execFileSync("bash", ["-c", operate], { encoding: "utf8" }))).toMatchObject({
      features: { "api-keys": "active", "local-access": "active" },
    });
    const [, read = ""] = first.output().match(/and read it:\n\n {2}(.*)/) ?? [];
    await eventually(`${url}/api/v1/events?userId=ada`, (body) => body.includes("note.creation.completed"));
    expect(execFileSync("bash", ["-c", read], { encoding: "utf8" })).toContain("note.creation.requested");
    first.child.kill("SIGTERM");
    expect(await first.ended).toBe(0);
    expect(first.output()).toMatch(/\nStopped in [\d.]+ (ms|s)\.\n$/);

    const again = start();
    const events = await eventually(`${await ready(again)}/api/v1/events?userId=ada`, () => true);
    expect(JSON.parse(events).events).toHaveLength(2);
    again.child.kill("SIGINT");
    expect(await again.ended).toBe(0);
    expect(again.output()).not.toContain("    at ");
  });

  it("prints all addresses and paths, keeps an API key for its owner, and refuses a second process by name", async () => {
    const command = start();
    const url = await ready(command);
    for (const [, name, address = ""] of command
      .output()
      .matchAll(/^ {2}(OpenAPI|status|broker) +(http:\S+)/gm)) {
      expect((await fetch(address)).ok, `${name} ${address}`).toBe(true);
    }
    const file = join(directory, "data", "api-key");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const old = {
      type: "note.creation.requested",
      timestamp: "2001-01-01T00:00:00Z",
      data: { content: "old" },
    };
    const post = (token: string) =>
      fetch(`${url}/api/v1/events?backfill=true`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
        body: JSON.stringify(old),
      });
    expect((await post("wrong")).status).toBe(401);
    expect((await post(readFileSync(file, "utf8").trim())).status).toBe(202);

    const [, broker = ""] = command.output().match(/^ {2}broker +(http:\S+)/m) ?? [];
    const [, worker = ""] = command.output().match(/^ {2}worker +(http:\S+)/m) ?? [];
    const unsigned = (method: string, address: string) =>
      fetch(address, { method, headers: { "content-type": "application/json" }, body: "[]" });
    expect((await unsigned("POST", `${broker}/e/x`)).status).toBe(401);
    expect((await unsigned("POST", `${broker}/fn/register`)).status).toBe(401);
    expect((await unsigned("PUT", `${worker}/api/inngest`)).status).toBe(401);
    for (const key of ["inngest-event-key", "inngest-signing-key"]) {
      const path = join(directory, "data", key);
      expect([key, statSync(path).mode & 0o777]).toEqual([key, 0o600]);
      expect(command.output()).not.toContain(readFileSync(path, "utf8").trim());
    }

    const second = start();
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain(`in use by process ${command.child.pid}, since`);
    expect(second.output()).toContain(`API: ${url}`);
    // With the usual ports, which the first one has taken, the directory still explains more than a port.
    const samePorts = start(["--port", new URL(url).port, "--worker-port", "0", "--broker-port", "0"]);
    expect(await samePorts.ended).toBe(1);
    expect(samePorts.output()).toContain(`Synap already runs here. The data directory`);
    expect(samePorts.output()).toContain(`in use by process ${command.child.pid}, since`);
    expect(samePorts.output()).toContain(`API: ${url}`);
    expect(samePorts.output()).not.toContain("another program");
    expect((await fetch(`${url}/readyz`)).ok).toBe(true);
  });

  it("refuses a data directory of a newer release, and touches nothing in it", async () => {
    const data = join(directory, "data");
    mkdirSync(data);
    writeFileSync(join(data, "format.json"), JSON.stringify({ format: 99, release: "7.0.0" }));
    const command = start();
    expect(await command.ended).toBe(1);
    expect(command.output()).toContain("was written by Synap 7.0.0");
    expect(readdirSync(data)).toEqual(["format.json"]);
  });

  it("names the port that is taken and the option that changes it", async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) =>
      other.listen(0, "127.0.0.1", () => {
        const address = other.address();
        resolve(typeof address === "object" ? (address?.port ?? 0) : 0);
      }),
    );
    const command = start(["--port", "0", "--worker-port", String(port), "--broker-port", "0"]);
    expect(await command.ended).toBe(1);
    expect(command.output()).toContain(`Port ${port} on 127.0.0.1 for the worker is already in use`);
    expect(command.output()).toContain("--worker-port");
    expect(existsSync(join(directory, "data"))).toBe(false);
    other.close();
  });

  it("stops what it had started when it can't go on: the directory is free again", async () => {
    const broken = start([...FREE, "--config", "no-such-config.ts"]);
    expect(await broken.ended).toBe(1);
    expect(broken.output()).toMatch(/no-such-config\.ts: the file does not exist/);
    const nowhere = start([...FREE, "--inngest=http://127.0.0.1:9"]);
    expect(await nowhere.ended).toBe(1);
    expect(nowhere.output()).toContain("No Inngest server answers at http://127.0.0.1:9");
    const unreachable = start(FREE, { DATABASE_URL: "postgres://nobody:x@127.0.0.1:9/none" });
    expect(await unreachable.ended).toBe(1);
    expect(unreachable.output()).not.toContain("    at ");
  });

  it("says what to do when Inngest's dev server can't be downloaded", async () => {
    const bin = join(directory, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "npx"), "#!/bin/sh\necho 'getaddrinfo ENOTFOUND cli.inngest.com' >&2\nexit 1\n", {
      mode: 0o755,
    });
    const command = start([...FREE, "--inngest"], { PATH: `${bin}:${process.env["PATH"]}` });
    expect(await command.ended).toBe(1);
    expect(command.output()).toContain("Inngest's dev server could not be started: it ended with code 1");
    expect(command.output()).toContain("ENOTFOUND cli.inngest.com");
    expect(command.output()).toContain("leave --inngest out");
  });

  it("explains every option", async () => {
    const help = runSynapCommand(["start", "--help"]);
    expect(await help.ended).toBe(0);
    for (const option of [
      "--port",
      "--worker-port",
      "--broker-port",
      "--data",
      "--inngest",
      "--config",
      "--verbose",
    ]) {
      expect(help.stdout()).toContain(option);
    }
    const wrong = runSynapCommand(["start", "--port", "seventy"]);
    expect(await wrong.ended).toBe(2);
    expect(wrong.output()).toContain("It must be a port");
  });
});
