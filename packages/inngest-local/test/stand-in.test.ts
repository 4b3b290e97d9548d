import { startInngestLocal } from "../src/index.ts";
import { describeInngestServer } from "./inngest-server.contract.ts";
import { engines } from "./queue-databases.ts";

for (const engine of engines) {
  describeInngestServer({
    name: `inngest-local on ${engine.name}`,
    retryDelay: 200,
    async start(appUrl) {
      const { database, close } = await engine.open();
      const server = await startInngestLocal({ database, port: 0, appUrls: [appUrl], retryDelays: 200 });
      return {
        url: server.url,
        async stop() {
          await server.stop();
          await close();
        },
      };
    },
  });
}
