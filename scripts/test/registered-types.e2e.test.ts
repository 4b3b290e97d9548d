import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createTemporaryDatabase, type TemporaryDatabase } from "../src/performance/temporary-database.ts";
import { createOperatorKey } from "../src/processes/operator-key.ts";
import { runSynapCommand } from "../src/processes/run-command.ts";
import { SeparateProcesses } from "../src/processes/separate-processes.ts";

const serverUrl = process.env["TEST_DATABASE_URL"];
const NAME = "shop.cart_abandoned";
const registration = {
  name: NAME,
  description: "Somebody left a cart behind.",
  schema: {
    type: "object",
    properties: { items: { type: "integer", minimum: 1 } },
    required: ["items"],
    additionalProperties: false,
  },
  example: { items: 2 },
};

describe.skipIf(serverUrl === undefined)("an event type registered by the command line", () => {
  let temporary: TemporaryDatabase;
  let token: string;
  let processes: SeparateProcesses;
  const folder = mkdtempSync(join(tmpdir(), "synap-types-"));
  const file = join(folder, "cart.json");

  beforeAll(async () => {
    temporary = await createTemporaryDatabase(serverUrl, "types");
    token = await createOperatorKey(temporary.database);
    processes = await SeparateProcesses.start({ databaseUrl: temporary.url ?? "", fromSource: true });
  });
  afterAll(async () => {
    await processes?.stop();
    await temporary?.remove();
    rmSync(folder, { recursive: true });
  });

  async function synap(...args: string[]): Promise<readonly [number | string, string]> {
    const command = runSynapCommand(args, { env: { SYNAP_URL: processes.apiUrl, SYNAP_TOKEN: token } });
    return [await command.ended, command.output()];
  }
  async function publish(event: object): Promise<number> {
    const response = await fetch(`${processes.apiUrl}/api/v1/events`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(event),
    });
    await response.body?.cancel();
    return response.status;
  }
  const cart = (items: number) => ({ id: randomUUID(), type: NAME, aggregateId: "c1", data: { items } });
  const eventually = (look: () => Promise<void>) => vi.waitFor(look, { timeout: 60_000, interval: 100 });
  async function expectStored(...ids: readonly string[]): Promise<void> {
    await eventually(async () => {
      const rows = await temporary.database.query<{ id: string }>(
        "SELECT id::text AS id FROM synap.events WHERE type = $1",
        [NAME],
      );
      expect(rows.map(({ id }) => id).sort()).toEqual([...ids].sort());
    });
  }

  const first = cart(1);
  const second = cart(2);

  it("is known to the API and the worker, which have been running, without a restart", async () => {
    expect(await publish(first)).toBe(422);
    writeFileSync(file, JSON.stringify(registration));
    expect(await synap("types", "register", file)).toEqual([0, `registered ${NAME}\n`]);
    expect(await publish(first)).toBe(202);
    await expectStored(first.id);
    const [code, output] = await synap("types", "list");
    expect([code, output]).toEqual([
      0,
      expect.stringMatching(new RegExp(`${NAME} +1 +registered +Somebody left`)),
    ]);
  });

  it("is refused a change that old data would break, with the place and a document", async () => {
    const properties = { items: { type: "integer", minimum: 2 } };
    writeFileSync(file, JSON.stringify({ ...registration, schema: { ...registration.schema, properties } }));
    const [code, output] = await synap("types", "register", file);
    expect([code, output]).toEqual([
      1,
      expect.stringMatching(/\n {2}data\/items: .*, for example \{"items":1\}\n/),
    ]);
  });

  it("survives the restart of the worker", async () => {
    await processes.end("worker");
    expect(await publish(second)).toBe(202);
    processes.run("worker");
    await expectStored(first.id, second.id);
  });
});
