import { Client } from "pg";
import { describe, expect, it } from "vitest";
import { createEmptyDatabase } from "./empty-database.ts";

const serverUrl = process.env["TEST_DATABASE_URL"];

describe.skipIf(serverUrl === undefined)("an empty database of a peer", () => {
  it("is dropped after the connections that are still closing", async () => {
    const { url, remove } = await createEmptyDatabase(serverUrl ?? "", "test_peers");
    const client = new Client(url);
    const errors: unknown[] = [];
    client.on("error", (error) => errors.push(error));
    await client.connect();
    const removed = remove();
    // Only a connection that stays longer than the removal takes to begin can be cut off by it.
    await client.query("SELECT pg_sleep(0.3)");
    await client.end();
    await removed;
    expect(errors).toEqual([]);
  });
});
