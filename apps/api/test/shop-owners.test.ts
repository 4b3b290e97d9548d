import { fileURLToPath } from "node:url";
import { EventDispatcher } from "@synap/handlers/internal";
import { loadConfig } from "@synap/synap";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";
import { createTestKey } from "../testing/test-keys.ts";

const path = fileURLToPath(new URL("../../../examples/shop/synap.config.ts", import.meta.url));
const lines = [{ article: "pump", quantity: 2, cents: 5999 }];
const invoice = { order: "o", customer: "ada", email: "ada@example.org", cents: 11998 };

describe("a user of the shop", () => {
  let api: TestApi;
  const tokens: Record<string, string> = {};
  const get = async (who: string, address: string) => {
    const headers = { authorization: `Bearer ${tokens[who]}` };
    const response = await fetch(`${api.url}/api/v1${address}`, { headers });
    expect(response.status).toBe(200);
    return JSON.parse(await response.text());
  };

  beforeAll(async () => {
    const { catalogue, projections, readModels } = (await loadConfig({ path })).application;
    api = await startTestApi({}, "embedded", { catalogue, projections, readModels, handlers: [] });
    const { database } = api;
    const worker = new EventDispatcher({ database, catalogue, projections, handlers: [] });
    await worker.projections.prepare();
    for (const name of ["ada", "bob"]) tokens[name] = await createTestKey(database, "user", name, ["read"]);
    tokens["staff"] = await createTestKey(database, "staff", "grace", ["read", "read-all"]);
    const placed = { customer: "ada", email: "ada@example.org", lines };
    // As the API stores what the two of them send. Bob says that he is ada.
    for (const [userId, aggregateId] of [
      ["ada", "o-1"],
      ["bob", "o-2"],
    ] as const) {
      const whose = { userId, aggregateId };
      for (const [type, data] of [
        ["order.placed", placed],
        ["invoice.issued", invoice],
      ] as const) {
        const { status } = await worker.store.append(catalogue.completeEvent({ type, ...whose, data }));
        expect(status).toBe("stored");
      }
    }
    for (const { name } of projections) await worker.catchUp(name);
  });
  afterAll(() => api.stop());

  it.each([
    ["ada", ["o-1"]],
    ["bob", ["o-2"]],
    ["staff", ["o-1", "o-2"]],
  ])("%s reads %j, whatever customer is asked for", async (who, ids) => {
    for (const query of ["", "?customer=ada"]) {
      const { orders } = await get(who, `/customer-orders${query}`);
      expect(orders.map(({ id }: { id: string }) => id).toSorted()).toEqual(ids);
      const { invoices, totalCents } = await get(who, `/customer-invoices${query}`);
      expect(invoices.map(({ id }: { id: string }) => id).toSorted()).toEqual(ids);
      expect(totalCents).toBe(11998 * ids.length);
    }
    expect((await get(who, "/customer-orders?customer=bob")).orders).toEqual([]);
  });
});
