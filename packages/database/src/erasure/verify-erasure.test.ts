import { createEventCatalogue, defineEventType } from "@synap/types";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { z } from "zod";
import { createTestDatabase, type TestDatabase } from "../../testing/index.ts";
import { createEventStore, syncEventTypes } from "../internal.ts";
import { type ErasureLedger, ledgerHash } from "../personal-data/erasure-ledger.ts";
import { createPersonalData } from "../personal-data/personal-data.ts";
import { createSubjectKeys } from "../personal-data/subject-keys.ts";
import { passingKeys } from "../personal-data/wrapping.ts";
import { eraseSubject } from "./erase-subject.ts";
import { verifyErasure } from "./verify-erasure.ts";

const EMAIL = 'Ada"Löve@example.org';
const catalogue = createEventCatalogue([
  defineEventType({
    name: "customer.joined",
    description: "A customer joined.",
    schema: z.strictObject({ email: z.string().meta({ personal: { subject: "userId" } }) }),
    example: { email: "ada@example.org" },
  }),
]);

let test: TestDatabase;
let subject: string;
let number = 0;
const hashes = new Set<string>();
const ledger: ErasureLedger = {
  name: "of the test",
  read: async () => hashes,
  add: async (name) => void hashes.add(ledgerHash(name)),
};

beforeAll(async () => {
  test = await createTestDatabase("embedded", "migrated");
  await syncEventTypes(test.database, catalogue);
});
afterAll(() => test.drop());
beforeEach(async () => {
  number += 1;
  subject = `customer-${number}`;
  const { database } = test;
  const personalData = createPersonalData(
    catalogue,
    createSubjectKeys({ database, provider: passingKeys() }),
  );
  const store = createEventStore({ database, catalogue, personalData });
  await store.append(
    catalogue.createSynapEvent({ type: "customer.joined", userId: subject, data: { email: EMAIL } }),
  );
});

const verify = (...canaries: string[]) => verifyErasure(test.database, { subject, canaries, ledger });
const erase = (keptMs = 0) =>
  eraseSubject(test.database, { subject, reason: "Request 118", by: "user:officer" }, { ledger, keptMs });
/** Records, as the workers do, that the read models are replaced. */
const finish = () =>
  test.database.asOwner((owner) =>
    owner.query("UPDATE synap.purges SET finished_at = clock_timestamp() WHERE erased_subject = $1", [
      subject,
    ]),
  );

it("finds the sealed values of a subject whose key still exists, by table and column", async () => {
  const { faults, isErased } = await verify(EMAIL);
  expect(isErased).toBe(false);
  expect(faults).toEqual([
    { kind: "key-exists" },
    { kind: "sealed-with-key", table: "synap.events", column: "data", rows: 1 },
    { kind: "not-erased" },
  ]);
});

it("finds nothing after an erasure that is finished, and has its steps with their times", async () => {
  const { id, position } = await erase();
  expect((await verify(EMAIL)).faults).toEqual([{ kind: "read-models-not-replaced" }]);
  await finish();
  const report = await verify(EMAIL, "1 Lake Road");
  const time = expect.stringMatching(/^2\d{3}-.*Z$/);
  expect(report).toMatchObject({
    verifiedAt: time,
    subjectHash: ledgerHash(subject),
    isErased: true,
    erasure: {
      id,
      position,
      begunAt: time,
      keyDestroyedAt: time,
      recordedAt: time,
      readModelsReplacedAt: time,
    },
    inLedger: true,
    canaries: 2,
    faults: [],
  });
  expect(report.tables.map(({ table }) => table)).toEqual(
    expect.arrayContaining([
      "synap.events",
      "synap.dead_letters",
      "synap.aggregate_snapshots",
      "pg_catalog.pg_stats",
    ]),
  );
  expect(JSON.stringify(report)).not.toMatch(new RegExp(`example[.]org|Lake|${subject}`));
  hashes.delete(ledgerHash(subject));
  expect((await verify()).faults).toEqual([{ kind: "not-in-ledger" }]);
});

it("finds an erasure that was interrupted", async () => {
  await erase();
  const interrupt = `UPDATE synap.erasures SET erased_at = NULL, "position" = NULL WHERE subject = $1`;
  await test.database.asOwner((owner) => owner.query(interrupt, [subject]));
  const { faults, isErased } = await verify();
  expect([isErased, faults]).toEqual([false, [{ kind: "not-erased" }]]);
});

it("finds a canary in every kind of column, in any case of A to Z, and says which, and in how many rows", async () => {
  await erase();
  await finish();
  await test.database.asOwner(async (owner) => {
    await owner.execute(`
      CREATE SCHEMA shop;
      CREATE DOMAIN shop.address AS bytea;
      CREATE TYPE shop.pair AS (one text, two text);
      CREATE TABLE shop."Mailing List" (
        number integer, plain text, short varchar(100), "Json" json, stored jsonb, escaped json, list text[], bytes bytea, packed shop.address,
        pair shop.pair, fine text);
      CREATE MATERIALIZED VIEW shop.names AS SELECT plain, number FROM shop."Mailing List"`);
    await owner.query(
      `INSERT INTO shop."Mailing List"
       SELECT n, $1, lower($1), to_json($1::text), to_jsonb($1::text), $2::text::json, ARRAY['x', $1], convert_to($1, 'UTF8'),
              convert_to($1, 'UTF8'), ROW('x', $3)::shop.pair, 'somebody else'
         FROM generate_series(1, 2) AS n`,
      [EMAIL, JSON.stringify(EMAIL).replace("ö", "\\u00F6"), "1 Lake Road"],
    );
    await owner.execute('REFRESH MATERIALIZED VIEW shop.names; ANALYZE shop."Mailing List"');
  });
  const { faults, tables } = await verify(EMAIL, "1 LAKE ROAD");
  await test.database.asOwner((owner) => owner.execute("DROP SCHEMA shop CASCADE"));
  const at = (column: string, canary = 1) => ({
    kind: "canary-found",
    table: 'shop."Mailing List"',
    column,
    rows: 2,
    canary,
  });
  expect(faults.filter(({ table }) => table === 'shop."Mailing List"')).toEqual([
    ...["plain", "short", '"Json"', "stored", "escaped", "list", "bytes", "packed"].map((each) => at(each)),
    at("pair", 2),
  ]);
  expect(faults).toContainEqual({ ...at("plain"), table: "shop.names" });
  // What the planner keeps of it.
  expect(faults).toContainEqual(
    expect.objectContaining({ table: "pg_catalog.pg_stats", column: "most_common_vals" }),
  );
  expect(tables.find(({ table }) => table === "shop.names")).toEqual({
    table: "shop.names",
    columns: ["plain"],
    rows: 2,
  });
});

it("refuses canaries that are in nearly everything", async () => {
  await expect(verify("ada")).rejects.toThrow("at least 4 characters");
});
