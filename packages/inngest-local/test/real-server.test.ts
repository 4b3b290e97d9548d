import { describe, it } from "vitest";
import { describeInngestServer } from "./inngest-server.contract.ts";

const url = process.env["INNGEST_TEST_URL"];

// Runs the contract against a real Inngest server. Start it with, for example:
// inngest dev --no-discovery --retry-interval 1
if (url === undefined) {
  describe("Inngest server: the real one", () => {
    it.skip("is tested when INNGEST_TEST_URL names one", () => undefined);
  });
} else {
  describeInngestServer({
    name: `the real one at ${url}`,
    retryDelay: 1_000,
    start: async () => ({ url, stop: async () => undefined }),
  });
}
