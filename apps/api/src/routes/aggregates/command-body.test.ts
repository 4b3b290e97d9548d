import { commandBody } from "@synap/types/http";
import { Hono } from "hono";
import { expect, it } from "vitest";
import { z } from "zod";
import type { ApiEnvironment } from "../../api-dependencies.ts";
import { Problem } from "../../problems/problem.ts";
import { describeCommandBody, readCommandBody } from "./command-body.ts";

const limits = { configuration: { maxBodyBytes: 10_000, maxBodyValues: 1_000, maxDepth: 10 } };

async function read(data: z.ZodType, body: string): Promise<string> {
  const app = new Hono<ApiEnvironment>();
  app.post("/", async (context) => {
    const read = await readCommandBody(context, commandBody(data), limits);
    return context.body(JSON.stringify(read));
  });
  return (await app.request("/", { method: "POST", body })).text();
}

it("returns a command as it was sent, whatever its schema would change", async () => {
  const schema = z.object({ b: z.number(), a: z.object({}), note: z.string().trim().optional() });
  const body =
    '{"metadata":{"z":1,"y":2},"data":{"more":[1],"a":{"kept":true},"b":1,"note":" as it is "},"userId":"u"}';
  expect(await read(schema, body)).toBe(body);
});

it("names every fault of a command by its path", async () => {
  const schema = z.strictObject({ tags: z.array(z.string()), title: z.string() });
  const app = new Hono<ApiEnvironment>();
  app.post("/", async (context) => {
    await readCommandBody(context, commandBody(schema), limits);
    return context.body("");
  });
  app.onError((error) => (error instanceof Problem ? error.toResponse("r") : new Response(String(error))));
  const body = JSON.stringify({ data: { tags: ["a", 1], "odd name": 1 } });
  const response = await app.request("/", { method: "POST", body });
  expect(await response.json()).toMatchObject({
    errors: [
      { code: "invalid", path: "data.tags[1]", reason: "must be a string, not a number" },
      { code: "missing", path: "data.title", reason: "is required" },
      { code: "unknown-field", path: 'data["odd name"]', reason: "is not a known field" },
    ],
  });
});

it("is documented with texts that an event can contain, in addition to their own constraints", () => {
  const data = z.object({
    free: z.string(),
    code: z.string().regex(/^[^a]+$/),
    list: z.array(z.string().min(1)),
    day: z.iso.date(),
    one: z.enum(["a", "b"]),
  });
  const described = describeCommandBody(commandBody(data));
  const kept = "^[^\\u0000\\ud800-\\udfff]*$";
  expect(described).toMatchObject({
    properties: {
      data: {
        properties: {
          free: { type: "string", pattern: kept },
          code: { type: "string", pattern: "^[^a]+$", allOf: [{ pattern: kept }] },
          list: { items: { type: "string", minLength: 1, pattern: kept } },
          day: { format: "date", pattern: expect.not.stringContaining("u0000") },
          one: { type: "string", enum: ["a", "b"] },
        },
      },
    },
  });
});
