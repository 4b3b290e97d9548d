import { createSynapClient } from "@synap/client";
import { defineReadModel } from "@synap/handlers";
import { wholeNumber } from "@synap/types/http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";
import { createTestKey } from "../testing/test-keys.ts";

const numbers = defineReadModel({
  path: "first-numbers",
  description: "The first numbers",
  writtenBy: [],
  parameters: z.strictObject({ count: wholeNumber(1, 10) }),
  response: z.object({ numbers: z.array(z.int()), asOf: z.iso.datetime() }),
  async read({ query }, { count }) {
    const rows = await query<{ n: number }>("SELECT n FROM generate_series(1, $1::integer) AS n", [count]);
    return { numbers: rows.map(({ n }) => n), asOf: new Date(0) };
  },
});
const missing = defineReadModel({
  path: "not-made",
  description: "A read model without a worker",
  writtenBy: [],
  parameters: z.strictObject({}),
  response: z.object({ rows: z.array(z.unknown()) }),
  read: async ({ query }) => ({ rows: await query("SELECT * FROM synap_read.not_made") }),
});
const unowned = defineReadModel({
  path: "all-ids",
  description: "The ids of all events, which it reads from the log",
  writtenBy: [],
  parameters: z.strictObject({}),
  response: z.object({ ids: z.array(z.object({ id: z.string() })) }),
  ownRows: true,
  read: async ({ query }) => ({ ids: await query<{ id: string }>("SELECT id FROM synap.events") }),
});

const openapi = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});

describe("an application's own read models", () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({}, "embedded", { readModels: [numbers, missing, unowned] });
  });
  afterAll(() => api.stop());
  const get = async (path: string, token?: string) => {
    const headers = { ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    const response = await fetch(`${api.url}${path}`, { headers });
    return { status: response.status, body: await response.json() };
  };

  it("are served at their paths, and read by the client with their types", async () => {
    const synap = createSynapClient<object>({ url: api.url });
    const answer = await synap.readModel<typeof numbers>("first-numbers", { count: 3 });
    expect(answer).toEqual({ numbers: [1, 2, 3], asOf: "1970-01-01T00:00:00.000Z" });
  });

  it.each([
    ["", "parameter-invalid"],
    ["?count=11", "parameter-invalid"],
    ["?count=3&limit=1", "parameter-unknown"],
  ])("check their parameters: %s", async (query, code) => {
    expect(await get(`/api/v1/first-numbers${query}`)).toMatchObject({ status: 400, body: { code } });
  });

  it("have no parameter of their own that names a moment of the past, and no past without projections", async () => {
    for (const name of ["asOf", "knownAt", "validAt"]) {
      expect(() =>
        defineReadModel({
          path: "numbers",
          description: "Numbers",
          writtenBy: [],
          parameters: z.strictObject({ [name]: z.string() }),
          response: z.object({}),
          read: async () => ({}),
        }),
      ).toThrow(`has the parameter ${name}, which every read model has`);
    }
    expect(await get("/api/v1/first-numbers?count=1&asOf=2020-01-01T00:00:00Z")).toMatchObject({
      status: 409,
      body: { code: "as-of-unavailable", detail: expect.stringContaining("readPast") },
    });
  });

  it("are a problem until a worker has made them", async () => {
    expect(await get("/api/v1/not-made")).toMatchObject({
      status: 503,
      body: { code: "read-model-missing" },
    });
  });

  it("are for those who may read all rows, unless they say that they show own rows", async () => {
    const token = await createTestKey(api.database, "user", "ann");
    expect(await get("/api/v1/first-numbers?count=1", token)).toMatchObject({
      status: 403,
      body: { code: "scope-missing", scope: "read-all" },
    });
    // Nor does one that says so show more: it may not read what has no owner.
    expect(await get("/api/v1/all-ids", token)).toMatchObject({
      status: 403,
      body: { code: "rows-not-owned", detail: expect.stringContaining("owner: { userId: ... }") },
    });
    expect(await get("/api/v1/all-ids")).toEqual({ status: 200, body: { ids: [] } });
  });

  it("are in the OpenAPI document, and those of a domain that was left out are not", async () => {
    const { paths, components } = openapi.parse((await get("/openapi.json")).body);
    expect(paths["/api/v1/first-numbers"]?.["get"]).toMatchObject({
      operationId: "firstNumbers",
      parameters: [
        { name: "count", required: true, schema: { type: "integer", minimum: 1, maximum: 10 } },
        { name: "asOf", required: false, schema: { type: "string", format: "date-time" } },
        { name: "knownAt", required: false, schema: { type: "string", format: "date-time" } },
        { name: "validAt", required: false, schema: { type: "string", format: "date-time" } },
        { name: "x-synap-position", in: "header", required: false },
        { name: "prefer", in: "header", required: false },
      ],
      responses: {
        200: { content: { "application/json": { schema: { $ref: "#/components/schemas/FirstNumbers" } } } },
      },
    });
    expect(components.schemas["FirstNumbers"]).toMatchObject({ properties: { numbers: { type: "array" } } });
    expect(paths).not.toHaveProperty("/api/v1/notes");
    expect(components.schemas).not.toHaveProperty("Notes");
  });
});
