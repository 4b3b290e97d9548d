import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EventTypeDefinitionError, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EventTypesModuleError, loadCatalogue } from "./event-types-module.ts";

const types = fileURLToPath(new URL("../node_modules/@synap/types/src/index.ts", import.meta.url));
const zod = fileURLToPath(new URL("../node_modules/zod/index.js", import.meta.url));
let folder: string;

async function moduleOf(name: string, body: string): Promise<string> {
  const file = join(folder, `${name}.mjs`);
  await writeFile(
    file,
    `import { defineEventType } from "${types}";\nimport { z } from "${zod}";\n${body}\n`,
  );
  return file;
}

describe("loadCatalogue", () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "synap-event-types-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("is the seed catalogue when no module is named", async () => {
    expect(await loadCatalogue(undefined)).toBe(seedCatalogue);
    expect(await loadCatalogue("")).toBe(seedCatalogue);
  });

  it("adds an application's event types to the seed", async () => {
    const file = await moduleOf(
      "good",
      `export const eventTypes = [defineEventType({
         name: "earthquake.recorded", description: "It shook.",
         schema: z.strictObject({ magnitude: z.number() }), example: { magnitude: 4.6 },
       })];`,
    );
    const catalogue = await loadCatalogue(file);
    expect(catalogue.has("earthquake.recorded")).toBe(true);
    expect(catalogue.types.length).toBe(seedCatalogue.types.length + 1);
  });

  it("says which file cannot be loaded", async () => {
    const file = join(folder, "missing.mjs");
    await expect(loadCatalogue(file)).rejects.toThrow(EventTypesModuleError);
    await expect(loadCatalogue(file)).rejects.toThrow(file);
  });

  it("says what the module should have exported", async () => {
    const nothing = await moduleOf("nothing", "export const types = [];");
    await expect(loadCatalogue(nothing)).rejects.toThrow(/must export the array "eventTypes"/);
    const stranger = await moduleOf("stranger", 'export const eventTypes = [{ name: "a.b" }];');
    await expect(loadCatalogue(stranger)).rejects.toThrow(/eventTypes\.0 is not an event type/);
  });

  it("refuses a type that the seed has already", async () => {
    const file = await moduleOf(
      "taken",
      `export const eventTypes = [defineEventType({
         name: "note.creation.completed", description: "Again.",
         schema: z.strictObject({ a: z.string() }), example: { a: "b" },
       })];`,
    );
    await expect(loadCatalogue(file)).rejects.toThrow(EventTypeDefinitionError);
  });
});
