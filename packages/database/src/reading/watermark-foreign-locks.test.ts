import { seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase, testEngines } from "../../testing/index.ts";
import { createTestLogin, type TestLogin } from "../../testing/test-login.ts";
import { append } from "../../testing/watermark/scenarios.ts";
import { type EventStore, migrate, openDatabase } from "../index.ts";
import { createEventStore, storeStatistics, syncEventTypes, watermarkHolder } from "../internal.ts";

describe.runIf(testEngines().includes("server"))("the watermark among other logins", () => {
  let test: TestDatabase;
  let store: EventStore;
  const logins: TestLogin[] = [];
  const createLogin = async (role?: string): Promise<TestLogin> => {
    const login = await createTestLogin(test, role);
    logins.push(login);
    return login;
  };

  beforeAll(async () => {
    test = await createTestDatabase("server");
    store = createEventStore({ database: test.database, catalogue: seedCatalogue });
  });
  afterAll(async () => {
    for (const login of logins) await login.drop();
    await test.drop();
  });

  it("ignores the locks of a session that does not append, which the status names", async () => {
    const foreign = await createLogin();
    await foreign.session`SELECT pg_advisory_lock_shared((83::bigint << 56) | 1)`;
    const start = await append(store);
    const position = await append(store);
    expect((await store.readAll({ after: start, limit: 10 })).events).toMatchObject([{ position }]);
    const { events } = await storeStatistics(test.database);
    expect(events.watermarkHolder).toBeUndefined();
    expect(events.foreignLocks).toEqual([
      { pid: expect.any(Number), login: foreign.name, applicationName: "postgres.js", locks: 1 },
    ]);
    await foreign.session`SELECT pg_advisory_unlock_all()`;
    expect((await storeStatistics(test.database)).events.foreignLocks).toBeUndefined();
  });

  it("and appends continue while another login holds the store's locks exclusively", async () => {
    const foreign = await createLogin();
    const start = await append(store);
    await foreign.session`SELECT pg_advisory_lock((83::bigint << 56) | ${start >> 10}::bigint)`;
    for (const key of [1, 30, 31]) await foreign.session`SELECT pg_advisory_lock(83, ${key}::integer)`;

    let beside = 0;
    await test.database.transaction(async (open) => {
      await append(store, open);
      beside = await append(store);
      expect((await store.readAll({ after: start, limit: 10 })).events).toEqual([]);
    });
    expect((await store.readAll({ after: start, limit: 10 })).events.at(-1)?.position).toBe(beside);
    expect(await test.database.query("SELECT * FROM synap.inline_builds('[]')")).toEqual([]);
    expect((await migrate(test.database)).applied).toEqual([]);
    await foreign.session`SELECT pg_advisory_unlock_all()`;
  });

  it("stops at an append whose login has lost its role while the transaction was open", async () => {
    const login = await createLogin("synap_app");
    const theirs = await openDatabase({ url: login.url, maxConnections: 1 });
    const start = await append(store);
    await theirs.transaction(async (open) => {
      await append(store, open);
      await test.database.asOwner((owner) => owner.execute(`REVOKE synap_app FROM ${login.name}`));
      await append(store);
      expect((await store.readAll({ after: start, limit: 10 })).events).toEqual([]);
      expect(await watermarkHolder(test.database)).toMatchObject({ login: login.name });
    });
    expect((await store.readAll({ after: start, limit: 10 })).events).toHaveLength(2);
    await theirs.close();
  });

  it("stops at an append of a login that only has the role for SQL", async () => {
    const login = await createLogin("synap_sql");
    await syncEventTypes(test.database, seedCatalogue);
    const start = await append(store);
    await login.session.begin(async (open) => {
      await open`SELECT synap.post_event('task.completed', '{}')`;
      await append(store);
      expect((await store.readAll({ after: start, limit: 10 })).events).toEqual([]);
      expect(await watermarkHolder(test.database)).toMatchObject({ login: login.name });
    });
    expect((await store.readAll({ after: start, limit: 10 })).events).toHaveLength(2);
  });

  // Appends are recognised by this lock.
  it.each([
    ["PREPARE mine AS DELETE FROM synap.streams", undefined],
    ["LOCK TABLE synap.streams IN ROW EXCLUSIVE MODE", undefined],
    ["LOCK TABLE synap.streams IN ROW EXCLUSIVE MODE", "synap_app"],
    ["LOCK TABLE synap.streams IN ROW EXCLUSIVE MODE", "synap_sql"],
  ])("depends on a lock that requires the right to append: %s, as %s", async (statement, role) => {
    const login = await createLogin(role);
    const attempt = login.session.begin((open) => open.unsafe(statement));
    await expect(attempt).rejects.toMatchObject({ code: "42501" });
  });
});
