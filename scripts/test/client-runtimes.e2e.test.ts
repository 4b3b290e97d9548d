import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type RunningSynap, runSynap } from "@synap/cli/all-in-one/run-synap.ts";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../src/processes/run-command.ts";
import type { Visit } from "./client-runtimes/visit.ts";
import { bunRuntime, workerdRuntime } from "./processes/npm-runtimes.ts";

const run = promisify(execFile);
const sources = join(import.meta.dirname, "client-runtimes");

const SEEN: Visit = {
  published: "note.creation.requested",
  query: ["one", "three", "two"],
  followed: ["live", "last"],
  actualVersion: 3,
};

let directory: string;
let synap: RunningSynap;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "synap-runtimes-"));
  // As a bundler of an application packs it: for no platform in particular.
  await build({
    entryPoints: [join(sources, "program.ts"), join(sources, "worker.ts")],
    outdir: directory,
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
  });
  const ports = { apiPort: 0, workerPort: 0, brokerPort: 0 };
  synap = await runSynap({ ...ports, dataDirectory: join(directory, "data"), logLevel: "silent" });
});
afterAll(async () => {
  await synap.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe("the client publishes, reads and subscribes", () => {
  const destination = () => JSON.stringify({ url: synap.apiUrl, token: synap.token });

  it("on Bun", { timeout: 300_000 }, async () => {
    const { stdout } = await run(bunRuntime(), [join(directory, "program.js"), destination()]);
    expect(JSON.parse(stdout)).toEqual(SEEN);
  });

  it("in workerd, the runtime of Cloudflare Workers", { timeout: 300_000 }, async () => {
    cpSync(join(sources, "worker.capnp"), join(directory, "worker.capnp"));
    const workerd = runCommand(
      [workerdRuntime()],
      ["serve", "--control-fd=1", join(directory, "worker.capnp")],
    );
    try {
      const [, port] = await workerd.waitFor(/"event":"listen".*"port":(\d+)\}/);
      const response = await fetch(`http://127.0.0.1:${port}`, { method: "POST", body: destination() });
      const text = await response.text();
      expect(response.status, text + workerd.output()).toBe(200);
      expect(JSON.parse(text)).toEqual(SEEN);
    } finally {
      workerd.child.kill("SIGKILL");
      await workerd.ended;
    }
  });
});
