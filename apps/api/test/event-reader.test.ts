import { createSynapClient } from "@synap/client";
import { testEngines } from "@synap/database/testing";
import { describeEventReader } from "@synap/synap/testing/event-reader-contract.ts";
import type { seedCatalogue } from "@synap/types";
import { startTestApi, TOKEN } from "../testing/start-test-api.ts";

for (const engine of testEngines()) {
  describeEventReader(`of the client (${engine})`, async () => {
    const api = await startTestApi({}, engine);
    const reader = createSynapClient<typeof seedCatalogue>({ url: api.url, token: TOKEN });
    return { reader, close: api.stop };
  });
}
