import { recordFunctionRegistration } from "@synap/database/internal";
import { testEngines } from "@synap/database/testing";
import { INNGEST_APP_ID } from "@synap/types/internal";
import { describe, expect, it } from "vitest";
import { startTestApi } from "../testing/start-test-api.ts";

const note = { type: "note.creation.requested", data: { content: "x" } };

// The broker of these tests takes whatever is sent, as an Inngest server does that knows no function yet.
describe.each(testEngines())(
  "before a worker has registered its functions with the broker (%s)",
  (engine) => {
    it("no event is accepted, and the API is not ready; afterwards it is", async () => {
      const api = await startTestApi({}, engine, { isRegistered: false });
      const post = (path: string, body: unknown) =>
        fetch(`${api.url}${path}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        });
      try {
        for (const [path, body] of [
          ["/api/v1/events", note],
          ["/api/v1/events/batch", [note, note]],
        ] as const) {
          const refused = await post(path, body);
          expect([refused.status, refused.headers.get("retry-after"), await refused.json()]).toEqual([
            503,
            "2",
            expect.objectContaining({
              code: "functions-not-registered",
              detail: expect.stringContaining("Start a worker"),
            }),
          ]);
        }
        const notReady = await fetch(`${api.url}/readyz`);
        expect([notReady.status, await notReady.json()]).toEqual([
          503,
          expect.objectContaining({
            code: "not-ready",
            checks: expect.objectContaining({ broker: "ok", functions: "functions-not-registered" }),
          }),
        ]);
        expect(api.broker.received).toEqual([]);

        await recordFunctionRegistration(api.database, "another-app");
        expect((await post("/api/v1/events", note)).status).toBe(503);

        await recordFunctionRegistration(api.database, INNGEST_APP_ID);
        await expect.poll(async () => (await post("/api/v1/events", note)).status).toBe(202);
        expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
      } finally {
        await api.stop();
      }
    });
  },
);
