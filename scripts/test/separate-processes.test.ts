import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTemporaryDatabase, type TemporaryDatabase } from "../src/performance/temporary-database.ts";
import { buildBundles, SeparateProcesses } from "../src/processes/separate-processes.ts";

const serverUrl = process.env["TEST_DATABASE_URL"];

describe.skipIf(serverUrl === undefined)("the commands of the production images", () => {
  let temporary: TemporaryDatabase;
  let processes: SeparateProcesses | undefined;

  beforeAll(async () => {
    buildBundles();
    temporary = await createTemporaryDatabase(serverUrl, "processes");
    processes = await SeparateProcesses.start(temporary.url ?? "");
  });
  afterAll(async () => {
    await processes?.stop();
    await temporary?.remove();
  });

  it("carry an event all the way and stop with 0", async () => {
    const url = `${processes?.apiUrl}/api/v1/events`;
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        type: "note.creation.requested",
        data: { content: "by bundle" },
        userId: "bea",
      }),
    });
    expect(response.status).toBe(202);
    const deadline = Date.now() + 60_000;
    let events: unknown[] = [];
    while (events.length < 2 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      ({ events } = JSON.parse(await (await fetch(`${url}?userId=bea`)).text()));
    }
    expect(events).toMatchObject([{ type: "note.creation.completed" }, { type: "note.creation.requested" }]);
    expect(await processes?.stop()).toEqual({ api: 0, broker: 0, worker: 0 });
  });
});
