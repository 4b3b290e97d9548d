import { storeStatistics } from "@synap/database/internal";
import { createTestDatabase, type TestDatabase } from "@synap/database/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { operatingWarnings } from "./operating-warnings.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase("embedded", "migrated");
});
afterAll(() => test.drop());

it("an erasure that was interrupted is a warning and in the status after a minute, until it is finished", async () => {
  const { database } = test;
  const found = async () => {
    const warnings = await operatingWarnings(database, [], {
      needsWorker: false,
      synapCommand: "synap",
      exposures: async () => [],
    });
    const { unfinishedErasures } = await storeStatistics(database);
    return [warnings.find(({ code }) => code === "erasure-unfinished")?.detail, unfinishedErasures];
  };
  const change = (text: string) => database.asOwner((owner) => owner.execute(text));
  await change(
    "INSERT INTO synap.erasures (id, subject, erased_by, reason) VALUES (gen_random_uuid(), 'ada', 'user:ben', 'A test')",
  );
  expect(await found()).toEqual([undefined, undefined]);
  await change("UPDATE synap.erasures SET begun_at = begun_at - interval '61 seconds'");
  expect(await found()).toEqual([
    "1 erasure of personal data is not finished: synap subjects erase --continue",
    1,
  ]);
  await change(`UPDATE synap.erasures SET "position" = 1024`);
  expect(await found()).toEqual([undefined, undefined]);
});
