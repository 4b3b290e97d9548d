import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { startTestApi } from "../testing/start-test-api.ts";

it("answers what is in flight and hands it to the broker before it has stopped", async () => {
  const api = await startTestApi({ publishConcurrency: 1 });
  api.broker.delayMs = 200;
  const posts = Array.from({ length: 20 }, async (_, index) => {
    await sleep(index * 5);
    return fetch(`${api.url}/api/v1/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ type: "note.creation.requested", data: { content: `${index}` } }),
    });
  });
  await sleep(120);
  await api.close();
  const statuses = (await Promise.all(posts)).map(({ status }) => status);
  expect(statuses).toEqual(posts.map(() => 202));
  expect(api.broker.received.flatMap(({ events }) => events)).toHaveLength(20);
  await expect(fetch(api.url)).rejects.toThrow();
  await api.stop();
});
