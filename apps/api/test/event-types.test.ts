import { seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

const get = (path: string, headers: Record<string, string> = {}) => fetch(`${api.url}${path}`, { headers });
const names = seedCatalogue.types.map(({ name }) => name).sort();
const pageForm = z.object({
  eventTypes: z.array(z.looseObject({ name: z.string() })),
  nextCursor: z.string().optional(),
});

/** The names on a page and the cursor of the next one. */
async function page(query: string) {
  const { eventTypes, nextCursor } = pageForm.parse(await (await get(`/api/v1/events/types${query}`)).json());
  return { names: eventTypes.map(({ name }) => name), nextCursor };
}

describe("GET /api/v1/events/types", () => {
  it.each([1, 7, names.length, 1_000])("leads through the catalogue in pages of %i", async (limit) => {
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const next = await page(`?limit=${limit}${cursor === undefined ? "" : `&cursor=${cursor}`}`);
      expect(next.names.length).toBeGreaterThan(0);
      found.push(...next.names);
      cursor = next.nextCursor;
    } while (cursor !== undefined);
    expect(found).toEqual(names);
  });

  it("refuses a cursor of another list", async () => {
    const { nextCursor } = z
      .object({ nextCursor: z.string() })
      .parse(await (await get("/api/v1/events/types?limit=1")).json());
    const forged = Buffer.from(nextCursor, "base64url")
      .toString()
      .replace(/"[^"]+"/, '"another"');
    const response = await get(`/api/v1/events/types?cursor=${Buffer.from(forged).toString("base64url")}`);
    expect(await response.json()).toMatchObject({ status: 400, code: "cursor-invalid" });
  });
});

describe("GET /api/v1/events/types/{name}", () => {
  it("has the schema, an example and the versions", async () => {
    const requested = seedCatalogue.get("note.creation.requested");
    const response = await get("/api/v1/events/types/note.creation.requested");
    expect(await response.json()).toEqual({
      name: "note.creation.requested",
      aggregateType: "note",
      schemaVersion: 1,
      earlierSchemas: [],
      description: requested?.description,
      versions: ["v1"],
      jsonSchema: requested?.jsonSchema,
      example: requested?.example,
    });
  });

  it("names what was meant", async () => {
    const response = await get("/api/v1/events/types/note.creation.requestd");
    expect(await response.json()).toMatchObject({
      status: 404,
      code: "event-type-not-found",
      detail: expect.stringContaining('did you mean "note.creation.requested"?'),
    });
  });
});

describe.each([
  "/api/v1/events/types",
  "/api/v1/events/types/note.creation.requested",
  "/openapi.json",
  "/asyncapi.json",
])("a conditional request for %s", (path) => {
  it("gets 304 without a body while the ETag is right", async () => {
    const first = await get(path);
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^(W\/)?"[\w-]{22}"$/);
    for (const given of [etag, `"other", ${etag}`, etag.replace("W/", ""), "*"]) {
      const again = await get(path, { "if-none-match": given });
      expect([again.status, again.headers.get("etag"), await again.text()]).toEqual([304, etag, ""]);
      expect(again.headers.get("vary")).toBe(first.headers.get("vary"));
    }
  });

  it("gets the body when the ETag is another", async () => {
    for (const given of ['"other"', "not an entity tag"]) {
      expect((await get(path, { "if-none-match": given })).status).toBe(200);
    }
  });
});
