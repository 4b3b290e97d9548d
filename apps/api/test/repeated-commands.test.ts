import { defineDecider } from "@synap/handlers";
import { noteCreationCompleted } from "@synap/types";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";
import { createTestKey } from "../testing/test-keys.ts";

const LARGE = "x".repeat(200 * 1024);
/** Notes that one command makes many of. */
const decider = defineDecider({
  name: "note",
  description: "Notes that one command makes many of.",
  events: [noteCreationCompleted],
  commands: { make: z.strictObject({ count: z.int() }) },
  state: z.strictObject({ made: z.int() }),
  initialState: { made: 0 },
  evolve: ({ made }) => ({ made: made + 1 }),
  decide: ({ data: { count } }) =>
    Array.from({ length: count }, () => ({
      type: "note.creation.completed" as const,
      data: { content: LARGE },
    })),
});

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({}, "embedded", { aggregates: [{ decider, path: "many-notes" }] });
});
afterAll(() => api.stop());

it("a repeated command has all of its events that its sender may see, over several pages, and none of later ones", async () => {
  const authorization = `Bearer ${await createTestKey(api.database, "user", "ada")}`;
  const make = async (count: number, key: string) => {
    const response = await fetch(`${api.url}/api/v1/many-notes/n1/make`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": key, authorization },
      body: JSON.stringify({ data: { count } }),
    });
    return { status: response.status, body: JSON.parse(await response.text()) };
  };
  // A page has 4 MiB.
  const first = await make(24, "a");
  expect([first.status, first.body.events.length]).toEqual([201, 24]);
  expect((await make(1, "b")).status).toBe(201);
  const again = await make(24, "a");
  expect(again).toMatchObject({ status: 200, body: { repeated: true, version: 24, state: { made: 24 } } });
  const idsOf = ({ events }: { events: { id: string }[] }) => events.map(({ id }) => id);
  expect(idsOf(again.body)).toEqual(idsOf(first.body));
});
