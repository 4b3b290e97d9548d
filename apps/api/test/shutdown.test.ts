import { expect, it } from "vitest";
import { startTestApi } from "../testing/start-test-api.ts";

it("answers what is in flight and hands it to the broker before it has stopped", async () => {
  const api = await startTestApi({ publishConcurrency: 1, publishDeadlineMs: 600_000 });
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
  await expect.poll(() => readQueue(api.url)).toBe(20);
  const closed = api.close();
  // It has begun to stop: it takes no connection any more.
  await expect
    .poll(() =>
      fetch(`${api.url}/healthz`).then(
        () => "taken",
        () => "refused",
      ),
    )
    .toBe("refused");
  release();
  const statuses = (await Promise.all(posts)).map(({ status }) => status);
  await closed;
  expect(statuses).toEqual(posts.map(() => 202));
  expect(api.broker.received.flatMap(({ events }) => events)).toHaveLength(20);
  await expect(fetch(api.url)).rejects.toThrow();
  await api.stop();
});

it("ends the waits for positions that have not come", async () => {
  const api = await startTestApi();
  const url = `${api.url}/api/v1/audit-log`;
  const waits = Array.from({ length: 3 }, () =>
    fetch(url, { headers: { prefer: "wait=10", "x-synap-position": "900000000000" } }),
  );
  // Sent later, on another connection: those before it have arrived.
  expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
  await api.close();
  for (const answer of await Promise.all(waits)) {
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      code: "position-not-reached",
      detail: "This process is shutting down. Send again.",
    });
  }
  await api.stop();
});

async function readQueue(url: string): Promise<number> {
  const { publisher } = JSON.parse(await (await fetch(`${url}/api/v1/status`)).text());
  return publisher.queuedEvents;
}
