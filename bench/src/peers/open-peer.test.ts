import { describe, expect, it } from "vitest";
import { withSql } from "./empty-database.ts";
import { openPeer } from "./open-peer.ts";

const serverUrl = process.env["TEST_DATABASE_URL"];

describe.skipIf(serverUrl === undefined)("a peer that can't make its tables", () => {
  it("leaves neither its database nor an open connection", async () => {
    let url = "";
    let isClosed = false;
    const opening = openPeer(serverUrl ?? "", { id: "dcb", name: "broken" }, (given) => {
      url = given;
      return {
        append: () => Promise.resolve(),
        read: () => Promise.resolve(() => []),
        install: () => Promise.reject(new Error("no tables")),
        close: async () => {
          isClosed = true;
        },
        selectIds: "",
      };
    });
    await expect(opening).rejects.toThrow("no tables");
    expect(isClosed).toBe(true);
    const name = new URL(url).pathname.slice(1);
    const left = await withSql(
      serverUrl ?? "",
      (sql) => sql`SELECT FROM pg_database WHERE datname = ${name}`,
    );
    expect(left).toHaveLength(0);
  });
});
