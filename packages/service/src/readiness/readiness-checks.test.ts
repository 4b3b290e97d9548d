import { createTestDatabase } from "@synap/database/testing";
import { expect, it } from "vitest";
import { migrationsCheck } from "./readiness-checks.ts";

it("names the migrations that are missing, and one that a newer release has applied", async () => {
  const test = await createTestDatabase("embedded");
  const { check } = migrationsCheck(test.database);
  const asOwner = (sql: string) => test.database.asOwner((owner) => owner.query(sql));
  try {
    await expect(check()).resolves.toBeUndefined();
    const [last] = await asOwner(
      `DELETE FROM synap.migrations WHERE name = (SELECT max(name) FROM synap.migrations) RETURNING name`,
    );
    await expect(check()).rejects.toMatchObject({
      code: "migrations-pending",
      cause: { message: `not applied: ${Object.values(last ?? {}).join()}` },
    });
    await asOwner(
      "INSERT INTO synap.migrations (name, checksum, release) VALUES ('9000_later.sql', '', '99.0.0')",
    );
    await expect(check()).rejects.toMatchObject({
      code: "schema-newer",
      cause: { message: expect.stringMatching(/newer release \(99\.0\.0\).*9000_later\.sql/) },
    });
  } finally {
    await test.drop();
  }
});
