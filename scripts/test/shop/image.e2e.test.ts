import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSynapClient } from "@synap/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTemporaryDatabase, type TemporaryDatabase } from "../../src/performance/temporary-database.ts";
import { createOperatorKey } from "../../src/processes/operator-key.ts";
import { SeparateProcesses } from "../../src/processes/separate-processes.ts";
import { buildByHand } from "./image.ts";
import { installInto, shopFile, writeShownFiles } from "./new-folder.ts";

// The two event types that are used here. The compiler holds the client to the shop's own in examples/shop/scripts/visit.ts.
interface Types {
  eventTypes?: {
    "order.paid": { customer: string; email: string; cents: number };
    "invoice.issued": { order: string; cents: number };
  };
}

const serverUrl = process.env["TEST_DATABASE_URL"];

// There is no Docker daemon where tests run. The steps of the Dockerfile are done by hand, and its commands run in what comes out.
describe.skipIf(serverUrl === undefined)("the images of examples/shop", () => {
  let scratch: string;
  let temporary: TemporaryDatabase | undefined;
  let processes: SeparateProcesses | undefined;
  let token: string;

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), "synap-shop-image-"));
    const context = mkdtempSync(join(scratch, "context-"));
    writeShownFiles(context);
    writeFileSync(join(context, "package.json"), readFileSync(shopFile("package.json")));
    // npm writes it with `npm install`.
    writeFileSync(join(context, "package-lock.json"), "{}");
    const run = (command: string, folder: string) => {
      expect(command).toBe("npm ci --omit=dev");
      installInto(folder, { dev: false });
    };
    const dockerfile = readFileSync(shopFile("Dockerfile"), "utf8");
    const [migrate, api, worker] = (["migrate", "api", "worker"] as const).map((target) =>
      buildByHand(dockerfile, target, { context, scratch, run }),
    );
    if (migrate === undefined || api === undefined || worker === undefined) throw new Error("no images");
    expect(migrate.env).toEqual({ NODE_ENV: "production", SHOP_OUTBOX: "/tmp/outbox" });
    temporary = await createTemporaryDatabase(serverUrl, "shop");
    processes = await SeparateProcesses.start({
      databaseUrl: temporary.url ?? "",
      images: { migrate, api, worker },
      // As docker-compose.yml sets them: in production an API that could identify nobody does not start.
      environmentOf: () => ({ ...api.env, SHOP_OUTBOX: join(scratch, "outbox"), SYNAP_API_KEYS: "true" }),
    });
    token = await createOperatorKey(temporary.database);
  });
  afterAll(async () => {
    await processes?.stop();
    await temporary?.remove();
    rmSync(scratch, { recursive: true, force: true });
  });

  it("migrate, serve and run the shop on a server, without its development packages", async () => {
    const synap = createSynapClient<Types>({ url: processes?.apiUrl ?? "", token });
    const data = { customer: "ada", email: "ada@example.org", cents: 11998 };
    await synap.publish({ type: "order.paid", aggregateId: "o-1", data });
    await expect
      .poll(async () => {
        const stream = synap.readStream({ aggregateType: "invoice", aggregateId: "o-1" });
        const { value: event } = await stream.next();
        return event?.data;
      })
      .toMatchObject({ order: "o-1", cents: 11998 });
    const orders = `${processes?.apiUrl}/api/v1/customer-orders?customer=ada`;
    expect((await fetch(orders, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    expect((await fetch(orders)).status).toBe(401);
  });

  it("stop in order", async () => {
    expect(await processes?.stop()).toEqual({ api: 0, broker: 0, worker: 0 });
  });
});
