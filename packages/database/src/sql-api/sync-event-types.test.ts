import { defineEventType, seedCatalogue } from "@synap/types";
import { expect, it } from "vitest";
import { z } from "zod";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { syncEventTypes } from "../internal.ts";

const visited = (description: string) =>
  defineEventType({
    name: "site.visited",
    description,
    schema: z.strictObject({ page: z.string().max(100) }),
    example: { page: "/" },
  });

describeOnEveryEngine("syncEventTypes", (engine) => {
  it("writes every type with its JSON Schema and example", async () => {
    const names = await syncEventTypes(engine.database, seedCatalogue, { release: "1.2.3" });
    expect(names).toEqual(seedCatalogue.types.map((type) => type.name).sort());
    const rows = await engine.database.query(
      "SELECT * FROM synap.event_types WHERE name = 'note.creation.completed'",
    );
    const definition = seedCatalogue.get("note.creation.completed");
    expect(rows).toEqual([
      {
        name: "note.creation.completed",
        aggregate_type: "note",
        description: definition?.description,
        json_schema: definition?.jsonSchema,
        example: definition?.example,
        check_plan: expect.arrayContaining([expect.objectContaining({ required: ["content"] })]),
        check_of: expect.stringMatching(/^[0-9a-f]{64}$/),
        unchecked: null,
        release: "1.2.3",
        schema_version: 1,
        registered: false,
        earlier: [],
        updated_at: expect.any(Date),
      },
    ]);
  });

  it("updates only changed types, and keeps unknown ones", async () => {
    expect(await syncEventTypes(engine.database, seedCatalogue.extend([visited("Once.")]))).toEqual([
      "site.visited",
    ]);
    expect(await syncEventTypes(engine.database, seedCatalogue)).toEqual([]);
    expect(await syncEventTypes(engine.database, seedCatalogue.extend([visited("Again.")]))).toEqual([
      "site.visited",
    ]);
    const rows = await engine.database.query(
      "SELECT description FROM synap.event_types WHERE name = 'site.visited'",
    );
    expect(rows).toEqual([{ description: "Again." }]);
  });

  it("keeps the newest version of a type, whichever process starts last", async () => {
    const first = z.strictObject({ page: z.string() });
    const about = { name: "page.read", description: "A page was read." } as const;
    const old = defineEventType({ ...about, schema: first, example: { page: "/" } });
    const renewed = defineEventType({
      ...about,
      version: 2,
      schema: z.strictObject({ path: z.string() }),
      example: { path: "/" },
      upcast: { 1: { schema: first, up: ({ page }) => ({ path: page }) } },
    });
    expect(await syncEventTypes(engine.database, seedCatalogue.extend([old]))).toEqual(["page.read"]);
    expect(await syncEventTypes(engine.database, seedCatalogue.extend([renewed]))).toEqual(["page.read"]);
    expect(await syncEventTypes(engine.database, seedCatalogue.extend([old]))).toEqual([]);
    const rows = await engine.database.query(
      "SELECT schema_version, json_schema, earlier FROM synap.event_types WHERE name = 'page.read'",
    );
    expect(rows).toEqual([
      {
        schema_version: 2,
        json_schema: renewed.jsonSchema,
        earlier: [{ jsonSchema: old.jsonSchema, checkPlan: expect.any(Array), unchecked: null }],
      },
    ]);
  });

  it("marks a type whose schema the database can't check, and which part of it", async () => {
    const passed = defineEventType({
      name: "token.passed",
      description: "A token was passed on.",
      schema: z.strictObject({ tokens: z.array(z.jwt()) }),
      example: { tokens: [] },
    });
    await syncEventTypes(engine.database, seedCatalogue.extend([passed]));
    const rows = await engine.database.query(
      "SELECT check_plan, unchecked FROM synap.event_types WHERE name = 'token.passed'",
    );
    expect(rows).toEqual([
      { check_plan: null, unchecked: "data.tokens.[]: its format is jwt, which takes code to check" },
    ]);
  });

  it("can run in several processes concurrently", async () => {
    const catalogue = seedCatalogue.extend([visited("Together.")]);
    const written = await Promise.all([1, 2, 3].map(() => syncEventTypes(engine.database, catalogue)));
    expect(written.flat()).toEqual(["site.visited"]);
  });

  it("writes a table whose rows the application can't delete", async () => {
    await expect(engine.database.query("DELETE FROM synap.event_types")).rejects.toMatchObject({
      code: "42501",
    });
  });
});
