import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createTemporaryDatabase, type TemporaryDatabase } from "../src/performance/temporary-database.ts";
import { SeparateProcesses } from "../src/processes/separate-processes.ts";

const serverUrl = process.env["TEST_DATABASE_URL"];
const BOXES = Array.from({ length: 5 }, (_, index) => `box-${index}`);
const type = "coin.dropped";

describe.skipIf(serverUrl === undefined)(
  "two releases at once, of which one has a new version of a type",
  () => {
    let temporary: TemporaryDatabase;
    let processes: SeparateProcesses;
    /** The first API and the first worker, which also stores what the broker has, are of the older release. */
    const updated = new Set<string>(["api-2", "worker-2"]);
    /** The coins of a box, in cents. */
    const dropped = new Map<string, number[]>(BOXES.map((box) => [box, []]));

    beforeAll(async () => {
      temporary = await createTemporaryDatabase(serverUrl, "versions");
      processes = await SeparateProcesses.start({
        databaseUrl: temporary.url ?? "",
        fromSource: true,
        apis: 2,
        workers: 2,
        environmentOf: (name) => ({
          SYNAP_CONFIG: `scripts/test/two-releases/${updated.has(name) ? "newer" : "older"}.config.ts`,
        }),
      });
    });
    afterAll(async () => {
      await processes?.stop();
      await temporary?.remove();
    });

    const eventually = (look: () => Promise<void>) => vi.waitFor(look, { timeout: 90_000, interval: 200 });
    async function post(api: 0 | 1, path: string, body: object) {
      const response = await fetch(`${processes.apiUrls[api]}/api/v1${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      return { status: response.status, body: JSON.parse(await response.text()) };
    }
    /** Drops a coin into each box, in euros through the older API and in cents through the newer one, and waits for each answer. */
    async function dropEverywhere(api: 0 | 1, cents: number): Promise<void> {
      const event =
        api === 0 ? { type, data: { euros: cents / 100 } } : { type, schemaVersion: 2, data: { cents } };
      for (const box of BOXES) {
        expect((await post(api, `/streams/coin/${box}/events`, { events: [event] })).status).toBe(201);
        dropped.get(box)?.push(cents);
      }
    }
    const allHandled = () =>
      eventually(async () => {
        const rows = await temporary.database.query<{ id: string; coins: string }>(
          "SELECT id, coins FROM synap_read.boxes WHERE id LIKE 'box-%'",
        );
        expect(Object.fromEntries(rows.map(({ id, coins }) => [id, coins]))).toEqual(
          Object.fromEntries([...dropped].map(([box, coins]) => [box, coins.join(" ")])),
        );
      });

    it("handle every event once, in the order of its stream, whichever version it has", async () => {
      for (let round = 1; round <= 6; round += 1) await dropEverywhere(round % 2 === 0 ? 1 : 0, round * 100);
      await allHandled();
    });

    it("answer an event of the newer version: by the older API as it is stored", async () => {
      const read = async (api: 0 | 1) => {
        const response = await fetch(`${processes.apiUrls[api]}/api/v1/streams/coin/box-0?limit=2`);
        const { events } = JSON.parse(await response.text());
        return events.map(({ schemaVersion = 1, data }: { schemaVersion?: number; data: object }) => [
          schemaVersion,
          data,
        ]);
      };
      expect(await read(0)).toEqual([
        [1, { euros: 1 }],
        [2, { cents: 200 }],
      ]);
      expect(await read(1)).toEqual([
        [2, { cents: 100 }],
        [2, { cents: 200 }],
      ]);
    });

    it("publish the older version, and the newer one once every worker knows it", async () => {
      const inCents = { type, schemaVersion: 2, data: { cents: 900 }, aggregateId: "box-0" };
      await eventually(async () =>
        expect(await post(1, "/events", inCents)).toMatchObject({
          status: 503,
          body: { code: "event-type-not-ready", detail: expect.stringContaining("coin.dropped@2") },
        }),
      );
      expect((await post(1, "/events", { type, data: { euros: 8 }, aggregateId: "box-0" })).status).toBe(202);
      dropped.get("box-0")?.push(800);
      await allHandled();

      await processes.end("worker");
      updated.add("worker");
      processes.run("worker");
      await eventually(async () => expect((await post(1, "/events", inCents)).status).toBe(202));
      dropped.get("box-0")?.push(900);
      await allHandled();
    });
  },
);
