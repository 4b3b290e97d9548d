import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSynapClient } from "@synap/client";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { type RunningCommand, runSynapCommand } from "../src/processes/run-command.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/your-own-application.md"), "utf8");

// What the page's config defines. The compiler holds the client to the config's own types in config.type-test.ts.
interface Types {
  eventTypes?: {
    "order.placed": { customer: string; total: number };
    "invoice.sent": { order: string };
  };
}
const customerOrders = {
  path: "customer-orders",
  parameters: z.strictObject({ customer: z.string() }),
  response: z.object({ orders: z.array(z.object({ id: z.string(), total: z.number() })) }),
} as const;

/** The first block of the page that begins with this comment. */
function block(name: string): string {
  const [, text] = new RegExp(`\`\`\`ts\n(// ${name}\n.*?)\`\`\``, "s").exec(page) ?? [];
  if (text === undefined) throw new Error(`docs/your-own-application.md has no block ${name}`);
  return text;
}

describe("the application of docs/your-own-application.md, started with --config", () => {
  let folder: string;
  let command: RunningCommand;
  let url: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "synap-application-"));
    const [, prepare = ""] = /```bash\n(npm init .*)\n/.exec(page) ?? [];
    execFileSync("bash", ["-ec", prepare], { cwd: folder });
    mkdirSync(join(folder, "node_modules/@synap"), { recursive: true });
    symlinkSync(join(root, "packages/synap"), join(folder, "node_modules/@synap/synap"));
    for (const name of ["zod", "drizzle-orm"]) {
      symlinkSync(join(root, "packages/handlers/node_modules", name), join(folder, "node_modules", name));
    }
    const config = join(folder, "synap.config.ts");
    writeFileSync(config, block("synap.config.ts"));
    const ports = ["--port", "0", "--worker-port", "0", "--broker-port", "0"];
    const data = join(folder, "data");
    command = runSynapCommand(["start", "--config", config, "--data", data, ...ports]);
    [, url = ""] = await command.waitFor(/^ {2}API +(http:\S+)$/m, 60_000);
    await command.waitFor(/Ctrl-C stops it\./);
  });
  afterAll(async () => {
    command?.child.kill("SIGTERM");
    await command?.ended;
    rmSync(folder, { recursive: true, force: true });
  });
  const connect = () => createSynapClient<Types>({ url });
  const eventually = (look: () => Promise<void>) => vi.waitFor(look, { timeout: 60_000, interval: 50 });

  it("takes its own events, and gives them back from its own read model over HTTP", async () => {
    const synap = connect();
    const { id } = await synap.publish({
      type: "order.placed",
      aggregateId: "o1",
      data: { customer: "c1", total: 12.5 },
    });
    const { position } = await synap.waitUntilStored(id);
    await synap.waitFor(position, "orders");
    const answer = await synap.readModel<typeof customerOrders>("customer-orders", { customer: "c1" });
    expect(answer).toEqual({ orders: [{ id: "o1", total: 12.5 }] });
  });

  it("runs its handler", async () => {
    await eventually(async () => {
      const stream = connect().readStream({ aggregateType: "invoice", aggregateId: "o1" });
      const { value: event } = await stream.next();
      expect(event).toMatchObject({ type: "invoice.sent", data: { order: "o1" } });
    });
  });

  it("serves its aggregate", async () => {
    const response = await fetch(`${url}/api/v1/orders/o2/place`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ data: { customer: "c1", total: 3 } }),
    });
    expect([response.status, await response.json()]).toMatchObject([201, { state: { isPlaced: true } }]);
  });

  it("has nothing of the seeded domain, and the audit log all the same", async () => {
    const document = await (await fetch(`${url}/openapi.json`)).text();
    expect(document).toContain("/api/v1/customer-orders");
    expect(document).not.toContain("/api/v1/notes");
    await eventually(async () => {
      const { value: entry } = await connect().readModels.auditLog({ actor: "system" }).next();
      expect(entry?.action).toMatch(/^(order|invoice)\./);
    });
  });

  it("names the config that is wrong, and leaves nothing running", async () => {
    const config = join(folder, "broken.config.ts");
    writeFileSync(
      config,
      'import { defineConfig } from "@synap/synap";\nexport default defineConfig({ eventTypes: [), });\n',
    );
    const broken = runSynapCommand(["start", "--config", config, "--data", join(folder, "other")]);
    expect(await broken.ended).toBe(1);
    expect(broken.output()).toContain(`${config}: it can't be loaded:`);
    expect(broken.output()).not.toContain("    at ");
  });
});
