import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type RunningCommand, runCommand } from "../../src/processes/run-command.ts";
import {
  installInto,
  shopManifest,
  shownCommands,
  tutorial,
  withInstall,
  writeShownFiles,
} from "./new-folder.ts";

const run = promisify(execFile);

/** The block of the tutorial that has this command. */
function commandsWith(command: string): string {
  const block = shownCommands.find((text) => text.split("\n").includes(command));
  if (block === undefined) throw new Error(`The tutorial has no command ${command}.`);
  return block;
}

describe("the tutorial of examples/shop, followed from an empty folder", () => {
  let parent: string;
  let folder: string;
  let command: RunningCommand | undefined;
  let url: string;

  /** Runs commands as a reader pastes them. */
  const paste = async (commands: string, cwd: string, env: Record<string, string> = {}) => {
    const { stdout } = await run("bash", ["-euo", "pipefail", "-c", withInstall(commands)], {
      cwd,
      env: { ...process.env, INSTALLED: join(parent, "installed.txt"), ...env },
    });
    return stdout;
  };

  beforeAll(() => {
    parent = mkdtempSync(join(tmpdir(), "synap-shop-"));
    folder = join(parent, "shop");
  });
  afterAll(async () => {
    command?.child.kill("SIGTERM");
    await command?.ended;
    rmSync(parent, { recursive: true, force: true });
  });

  it("makes the package.json of the shop, and names every package that it needs", async () => {
    await paste(commandsWith("npm init -y"), parent);
    const made = z
      .object({ type: z.string(), scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(join(folder, "package.json"), "utf8")));
    expect(made).toEqual({ type: "module", scripts: shopManifest.scripts });
    const named = readFileSync(join(parent, "installed.txt"), "utf8").split("\n");
    const { dependencies, devDependencies } = shopManifest;
    expect(named.filter((word) => word !== "" && !word.startsWith("--")).sort()).toEqual(
      Object.keys({ ...dependencies, ...devDependencies }).sort(),
    );
  });

  it("type-checks and passes its own tests", async () => {
    installInto(folder);
    writeShownFiles(folder);
    await paste(commandsWith("npm test"), folder);
  });

  it("runs", async () => {
    const [, script = ""] = /^npm run (\w+)$/.exec(commandsWith("npm run dev").trim()) ?? [];
    // Without npm around it, so that the signals of this test reach the program.
    const words = shopManifest.scripts[script]?.split(" ") ?? [];
    const [program = "", ...args] = words;
    command = runCommand([join(folder, "node_modules/.bin", program), ...args], [], { cwd: folder });
    [, url = ""] = await command.waitFor(/^ {2}API +(http:\S+)$/m, 120_000);
    await command.waitFor(/Ctrl-C stops it\./);
    expect(command.output()).toContain('"type":"order.placed"');
  });

  it("is used through the client, with the output that the tutorial shows", async () => {
    const printed = await paste(commandsWith("npm run --silent visit"), folder, { SYNAP_URL: url });
    const shown = tutorial.blocks.find(({ info }) => info === "text output")?.text;
    expect(printed.trimEnd()).toBe(shown);
    await expect.poll(() => readdirSync(join(folder, "outbox"))).toHaveLength(1);
  });

  it("describes its commands and read models in the OpenAPI document, and serves these over HTTP", async () => {
    const document = z
      .object({ paths: z.record(z.string(), z.unknown()) })
      .parse(await (await fetch(`${url}/openapi.json`)).json());
    for (const path of ["/api/v1/orders/{id}/pay", "/api/v1/customer-orders", "/api/v1/customer-invoices"]) {
      expect(Object.keys(document.paths)).toContain(path);
    }
    const response = await fetch(`${url}/api/v1/customer-orders?customer=nobody`);
    expect([response.status, await response.json()]).toEqual([200, { orders: [] }]);
  });

  it("starts again with a changed file, and keeps what is stored", async () => {
    const file = join(folder, "src/orders.ts");
    writeFileSync(file, readFileSync(file, "utf8").replace('"customer-orders"', '"orders-of-customer"'));
    const again = /orders\.ts changed\.[\s\S]*^ {2}API +(http:\S+)$[\s\S]*Ctrl-C stops it\./m;
    const [, newUrl = ""] = (await command?.waitFor(again, 120_000)) ?? [];
    const { status } = await fetch(`${newUrl}/api/v1/orders-of-customer?customer=nobody`);
    expect(status).toBe(200);
    const events = await (await fetch(`${newUrl}/api/v1/events?type=invoice.issued`)).json();
    expect(events).toMatchObject({ events: [{ type: "invoice.issued" }] });
  });
});
