import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { startTestApi } from "../testing/start-test-api.ts";

it("answers what is in flight and hands it to the broker before it has stopped", async () => {
  const api = await startTestApi({ publishConcurrency: 1, publishDeadlineMs: 20_000 });
  let release = () => {};
  api.broker.hold = new Promise((resolve) => {
    release = resolve;
  });
  const posts = Array.from({ length: 20 }, (_, index) =>
    fetch(`${api.url}/api/v1/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ type: "note.creation.requested", data: { content: `${index}` } }),
    }),
  );
  while ((await readQueue(api.url)) < 20) await sleep(10);
  const closed = api.close();
  await sleep(100);
  release();
  const statuses = (await Promise.all(posts)).map(({ status }) => status);
  await closed;
  expect(statuses).toEqual(posts.map(() => 202));
  expect(api.broker.received.flatMap(({ events }) => events)).toHaveLength(20);
  await expect(fetch(api.url)).rejects.toThrow();
  await api.stop();
});

async function readQueue(url: string): Promise<number> {
  const { publisher } = JSON.parse(await (await fetch(`${url}/api/v1/status`)).text());
  return publisher.queuedEvents;
}
