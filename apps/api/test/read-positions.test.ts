import { randomUUID } from "node:crypto";
import { POSITION_HEADER } from "@synap/types/http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

describe("the position of an answer", () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.stop());

  it("is that of what was read, whatever position the request asked for", async () => {
    const path = `streams/note/${randomUUID()}`;
    const note = { type: "note.creation.requested", data: { content: "Call Acme" } };
    const appended = await fetch(`${api.url}/api/v1/${path}/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ events: [note] }),
    });
    const position = appended.headers.get(POSITION_HEADER);
    const { events } = JSON.parse(await appended.text());
    for (const read of [path, `events/${events[0].id}`, `events/${events[0].id}?caused=5`, "events"]) {
      const answer = await fetch(`${api.url}/api/v1/${read}`, {
        headers: { [POSITION_HEADER]: "900000000000" },
      });
      expect(answer.status, read).toBe(200);
      expect(answer.headers.get(POSITION_HEADER), read).toBe(position);
    }
    // Nothing was read: there is nothing to announce.
    const none = await fetch(`${api.url}/api/v1/events?type=task.created`, {
      headers: { [POSITION_HEADER]: "900000000000" },
    });
    expect(none.headers.get(POSITION_HEADER)).toBeNull();
  });
});
