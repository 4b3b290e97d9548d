import { startInngestLocal } from "../src/index.ts";
import { describeInngestServer } from "./inngest-server.contract.ts";
import { engines } from "./queue-databases.ts";

const signingKey = "c0ffee42".repeat(8);

for (const engine of engines) {
  describeInngestServer({
    name: `inngest-local on ${engine.name}`,
    retryDelay: 200,
    async start(appUrl) {
      const { database, close } = await engine.open();
      const options = { database, port: 0, appUrls: [appUrl], retryDelays: 200 };
      const server = await startInngestLocal({ ...options, keys: { signingKey, eventKeys: ["test"] } });
      return {
        url: server.url,
        signingKey,
        async stop() {
          await server.stop();
          await close();
        },
      };
    },
  });
}
