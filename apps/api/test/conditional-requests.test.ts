import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";
import { createTestKey } from "../testing/test-keys.ts";

let api: TestApi;
let path: string;
beforeAll(async () => {
  api = await startTestApi();
  const events = [
    { type: "note.creation.completed", data: { content: "kept" }, createdBy: "user:ada", userId: "ada" },
  ];
  const response = await fetch(`${api.url}/api/v1/streams/note/n-1/events`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ events }),
  });
  expect(response.status).toBe(201);
  const { events: stored } = JSON.parse(await (await fetch(`${api.url}/api/v1/streams/note/n-1`)).text());
  path = `/api/v1/events/${stored[0].id}`;
});
afterAll(() => api.stop());

async function get(address: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${api.url}${address}`, { headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

describe("a conditional request for an event", () => {
  it("is answered 304 without a body to those who have it, in the form that they ask for", async () => {
    const tags = new Set<string>();
    for (const accept of [
      "application/json",
      'application/json; profile="snake"',
      "application/cloudevents+json",
    ]) {
      const first = await get(path, { accept });
      const etag = first.headers.get("etag") ?? "";
      expect(etag).toMatch(/^"[\w-]{22}"$/);
      const again = await get(path, { accept, "if-none-match": etag });
      expect([again.status, again.text, again.headers.get("etag")]).toEqual([304, "", etag]);
      expect(again.headers.get("vary")).toBe(first.headers.get("vary"));
      tags.add(etag);
    }
    expect(tags.size).toBe(3);
  });

  it("is answered in full to those who have something else, and with what the event caused", async () => {
    expect((await get(path, { "if-none-match": '"other"' })).status).toBe(200);
    const { status, headers } = await get(`${path}?caused=1`, { "if-none-match": "*" });
    expect([status, headers.get("etag")]).toEqual([200, null]);
  });

  it("says nothing of an event that its sender may not see", async () => {
    const { headers } = await get(path);
    const token = await createTestKey(api.database, "user", "bob");
    const other = await get(path, {
      authorization: `Bearer ${token}`,
      "if-none-match": headers.get("etag") ?? "",
    });
    expect(other.status).toBe(404);
  });
});
