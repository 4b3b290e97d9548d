import { createTestDatabase, testEngines } from "@synap/database/testing";
import { expect, it } from "vitest";
import { openEngine } from "../src/engine.ts";
import { createApplicationReader } from "../src/event-reader.ts";
import { createSynap, defineConfig, seededDomain } from "../src/index.ts";
import { describeEventReader } from "../testing/event-reader-contract.ts";

for (const engine of testEngines()) {
  describeEventReader(`of createSynap (${engine})`, async () => {
    const { database, drop } = await createTestDatabase(engine);
    const config = defineConfig({ modules: [seededDomain] });
    const reader = await createSynap(config, { database, runHandlers: false });
    const close = async () => {
      await reader.close();
      await drop();
    };
    return { reader, close };
  });
}

it("a position that a read names holds for that read only, and must be one", async () => {
  const application = defineConfig({ modules: [seededDomain] });
  const logger = { info: () => {}, warn: () => {}, error: () => {} };
  const { engine, close } = await openEngine(application, { memory: true }, { logger });
  try {
    const reader = createApplicationReader({ ...engine, catalogue: application.catalogue });
    const stream = { aggregateType: "note", aggregateId: "n1" };
    const readsAt = (minPosition: number) => [
      () => reader.getStream(stream, { minPosition }),
      () => reader.getEvent("00000000-0000-7000-8000-000000000000", { minPosition }),
      () => reader.query({ minPosition }).next(),
      () => reader.history(stream, { minPosition }).next(),
      () => reader.readStream(stream, { minPosition }).next(),
    ];
    for (const read of readsAt(2 ** 50)) await read();
    expect(engine.point.position).toBe(0);
    for (const read of readsAt(-1)) await expect(read()).rejects.toThrow(RangeError);
  } finally {
    await close();
  }
});
