import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrate } from "@synap/database";
import { createTestDatabase } from "@synap/database/testing";
import { expect, it } from "vitest";
import { migrationsCheck } from "./readiness-checks.ts";

it("names the migrations that are missing, and one that a newer release has applied", async () => {
  const test = await createTestDatabase("embedded");
  const { check } = migrationsCheck(test.database, []);
  const asOwner = (sql: string) => test.database.asOwner((owner) => owner.query(sql));
  try {
    await expect(check()).resolves.toBeUndefined();
    const [last] = await asOwner(
      `DELETE FROM synap.migrations WHERE name = (SELECT max(name) FROM synap.migrations) RETURNING name`,
    );
    await expect(check()).rejects.toMatchObject({
      code: "migrations-pending",
      cause: { message: `not applied: synap/${Object.values(last ?? {}).join()}` },
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

it("names the migrations of an application that are missing, until they are applied", async () => {
  const test = await createTestDatabase("embedded");
  const folder = await mkdtemp(join(tmpdir(), "synap-readiness-"));
  try {
    await writeFile(join(folder, "0001_orders.sql"), "CREATE SCHEMA shop;");
    const applications = [{ folder, ledger: "shop" }];
    const { check } = migrationsCheck(test.database, applications);
    await expect(check()).rejects.toMatchObject({
      code: "application-migrations-pending",
      cause: { message: "not applied: shop/0001_orders.sql" },
    });
    await migrate(test.database, { applications });
    await expect(check()).resolves.toBeUndefined();
  } finally {
    await rm(folder, { recursive: true });
    await test.drop();
  }
});
