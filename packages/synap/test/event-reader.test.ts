import { createTestDatabase, testEngines } from "@synap/database/testing";
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
