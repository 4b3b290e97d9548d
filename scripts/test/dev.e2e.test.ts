import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RunningCommand, runSynapCommand } from "../src/processes/run-command.ts";

const root = join(import.meta.dirname, "../..");
const READY = /Ctrl-C stops it\./g;

/** A config whose only event type comes from a file of its own. */
const CONFIG = `
import { defineConfig } from "@synap/synap";
import { made } from "./src/made.ts";
export default defineConfig({ eventTypes: [made] });
`;
const made = (name: string) => `
import { defineEventType } from "@synap/synap";
import { z } from "zod";
export const made = defineEventType({
  name: "${name}", description: "Made.", schema: z.strictObject({}), example: {},
});
`;

describe("synap dev", () => {
  let folder: string;
  let command: RunningCommand;

  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
  /** Waits until it has started so many times, and resolves with the API's address of the last. */
  async function started(times: number): Promise<string> {
    await expect
      .poll(() => command.output().match(READY)?.length ?? 0, { timeout: 120_000, interval: 20 })
      .toBe(times);
    return [...command.output().matchAll(/^ {2}API +(http:\S+)$/gm)].at(-1)?.[1] ?? "";
  }
  /** Checks that the running application defines an event type. */
  const takes = async (url: string, type: string) => {
    const response = await fetch(`${url}/api/v1/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ type, aggregateId: "1", data: {} }),
    });
    return response.status === 202;
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "synap-dev-"));
    mkdirSync(join(folder, "node_modules/@synap"), { recursive: true });
    symlinkSync(join(root, "packages/synap"), join(folder, "node_modules/@synap/synap"));
    symlinkSync(join(root, "packages/handlers/node_modules/zod"), join(folder, "node_modules/zod"));
    mkdirSync(join(folder, "src"));
    write("package.json", JSON.stringify({ type: "module" }));
    write("synap.config.ts", CONFIG);
    write("src/made.ts", made("thing.made"));
    write("src/unrelated.ts", "export {};\n");
    command = runSynapCommand([
      ...["dev", "--config", join(folder, "synap.config.ts"), "--data", join(folder, "data")],
      ...["--port", "0", "--worker-port", "0", "--broker-port", "0"],
    ]);
  });
  afterEach(async () => {
    command.child.kill("SIGTERM");
    await command.ended;
    rmSync(folder, { recursive: true, force: true });
  });

  it("starts again when a file that the config imports changes, stopping in order in between", async () => {
    expect(await takes(await started(1), "thing.made")).toBe(true);
    write("src/unrelated.ts", "export const other = 1;\n");
    write("src/made.ts", made("thing.remade"));
    const url = await started(2);
    expect(await takes(url, "thing.remade")).toBe(true);
    expect(await takes(url, "thing.made")).toBe(false);
    expect(command.output()).toMatch(/made\.ts changed\.\n[\s\S]*Stopped in /);
    expect(command.output()).not.toContain("unrelated.ts changed");
  });

  it("says what is wrong with a file, and starts again when that is put right", async () => {
    await started(1);
    write("src/made.ts", "export const made = ;\n");
    await command.waitFor(/it can't be loaded:[\s\S]*Waiting for a change of the application's files/);
    write("src/made.ts", made("thing.cured"));
    expect(await takes(await started(2), "thing.cured")).toBe(true);
  });

  it("ends with what it started, and exits 0", async () => {
    const url = await started(1);
    command.child.kill("SIGTERM");
    expect(await command.ended).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  });

  it("leaves nothing running when it is killed", async () => {
    const url = await started(1);
    command.child.kill("SIGKILL");
    await command.waitFor(/Stopped in /);
    await expect(fetch(url)).rejects.toThrow();
  });
});
