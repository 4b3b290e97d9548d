import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startInngestLocal } from "../src/index.ts";
import { openInDirectory } from "./queue-databases.ts";

it("is unhealthy once its database does not answer queries", async () => {
  const directory = mkdtempSync(join(tmpdir(), "inngest-local-health-"));
  const queue = await openInDirectory(join(directory, "queue"));
  const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const server = await startInngestLocal({
    database: queue.database,
    keys: "none",
    port: 0,
    appUrls: [],
    logger,
  });
  try {
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    await queue.close();
    const response = await fetch(`${server.url}/health`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: 503, message: "The queue's database is unavailable" });
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});
