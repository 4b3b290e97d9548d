import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TypesOf } from "@synap/synap";
import { type ApplicationScenario, applicationScenario } from "@synap/synap/testing";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { customerInvoices } from "../src/invoices.ts";
import { order } from "../src/order.ts";
import { customerOrders } from "../src/orders.ts";
import config from "../synap.config.ts";

const lines = [{ article: "pump", quantity: 2, cents: 5999 }];

describe("the shop", () => {
  let shop: ApplicationScenario<TypesOf<typeof config>>;
  let outbox: string;

  beforeAll(async () => {
    outbox = await mkdtemp(join(tmpdir(), "shop-outbox-"));
    vi.stubEnv("SHOP_OUTBOX", outbox);
    shop = await applicationScenario(config);
  });
  afterAll(async () => {
    await shop.close();
    vi.unstubAllEnvs();
    await rm(outbox, { recursive: true });
  });

  it("lists an order as soon as it is placed, and its review", async () => {
    const orders = shop.synap.aggregates(order);
    await orders.execute("o-1", {
      type: "place",
      data: { customer: "ada", email: "ada@example.org", lines },
    });
    const row = { id: "o-1", status: "placed", cents: 11998, stars: null };
    expect(await shop.synap.readModel(customerOrders, { customer: "ada" })).toEqual({ orders: [row] });
    await shop.when({ type: "review.written", data: { order: "o-1", stars: 5 } });
    expect(await shop.synap.readModel(customerOrders, { customer: "ada" })).toEqual({
      orders: [{ ...row, stars: 5 }],
    });
  });

  it("issues and mails one invoice for a paid order", async () => {
    const customer = { customer: "grace", email: "grace@example.org" };
    await shop.given({ type: "order.placed", aggregateId: "o-2", data: { ...customer, lines } });
    await shop.when({ type: "order.paid", aggregateId: "o-2", data: { ...customer, cents: 11998 } });
    expect(await shop.synap.readModel(customerInvoices, { customer: "grace" })).toEqual({
      totalCents: 11998,
      invoices: [{ id: "o-2", cents: 11998, account: null }],
    });
    const [mail = "none", ...others] = await readdir(outbox);
    expect(others).toEqual([]);
    expect(await readFile(join(outbox, mail), "utf8")).toContain("Subject: Invoice o-2\n\n119.98 EUR");
    expect(await shop.rows("SELECT recipient FROM shop.mails")).toEqual([{ recipient: "grace@example.org" }]);
  });

  it("keeps whose an order and its invoice are", async () => {
    const customer = { customer: "ada", email: "ada@example.org" };
    const whose = { aggregateId: "o-3", userId: "ada" };
    await shop.given({ type: "order.placed", ...whose, data: { ...customer, lines } });
    await shop.when({ type: "order.paid", ...whose, data: { ...customer, cents: 11998 } });
    for (const table of ["orders", "invoices"])
      expect(await shop.rows(`SELECT user_id FROM synap_read.${table} WHERE id = 'o-3'`)).toEqual([
        { user_id: "ada" },
      ]);
  });
});
