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
        release: "1.2.3",
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
