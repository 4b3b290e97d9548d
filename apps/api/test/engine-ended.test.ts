import { afterAll, beforeAll, expect, it } from "vitest";
import { readResponse } from "../testing/read-response.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

const get = async (path: string) => readResponse(await fetch(`${api.url}${path}`));

it("answers /healthz and /readyz with 503 once the embedded engine has ended, and everything else with a problem", async () => {
  expect(await get("/healthz")).toMatchObject({ status: 200, body: { status: "ok" } });
  // Recursion deeper than the machine's stack, which PostgreSQL is made to think larger: a trap that nothing catches.
  const breaking = api.database.asOwner(async (owner) => {
    await owner.query("SET max_stack_depth = '60MB'");
    await owner.query(
      "CREATE FUNCTION endless(i int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN endless(i + 1) + 1; END'",
    );
    await owner.query("SELECT endless(1)");
  });
  await expect(breaking).rejects.toThrow();
  await expect.poll(async () => (await get("/healthz")).status).toBe(503);
  expect((await get("/healthz")).body).toMatchObject({
    code: "not-ready",
    detail: "The embedded database has stopped; this process has to be restarted.",
  });
  expect(await get("/readyz")).toMatchObject({ status: 503, body: { code: "not-ready" } });
  expect(await get("/api/v1/events")).toMatchObject({ status: 503, body: { code: "database-unavailable" } });
});
