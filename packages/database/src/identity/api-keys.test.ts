import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import {
  type ApiKey,
  createApiKey,
  findApiKey,
  listApiKeys,
  recordApiKeyUse,
  revokeApiKey,
} from "./api-keys.ts";
import { createKeyToken, hashSecret, readKeyToken, writeKeyToken } from "./key-token.ts";

const GRANT = {
  name: "importer",
  kind: "machine",
  principalId: "importer",
  scopes: ["publish", "backfill"],
} as const;

describeOnEveryEngine("API keys", (engine) => {
  it("are kept without their secret, by their id", async () => {
    const { database } = engine;
    const key = createKeyToken();
    const expiresAt = "2031-02-03T04:05:06.789Z";
    await createApiKey(database, key, { ...GRANT, expiresAt });
    const stored = await findApiKey(database, key.id);
    expect(stored).toEqual({
      ...GRANT,
      id: key.id,
      expiresAt,
      secretHash: hashSecret(key.secret),
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    const rows = await database.query("SELECT k::text AS row FROM synap.api_keys AS k");
    expect(JSON.stringify(rows)).not.toContain(key.secret);
    expect(await findApiKey(database, "000000000000")).toBeUndefined();
  });

  it("are not replaced by one with the same id", async () => {
    const { database } = engine;
    const key = createKeyToken();
    await createApiKey(database, key, GRANT);
    await createApiKey(
      database,
      { ...key, secret: createKeyToken().secret },
      { ...GRANT, scopes: ["admin"] },
    );
    expect(await findApiKey(database, key.id)).toMatchObject({
      secretHash: hashSecret(key.secret),
      scopes: GRANT.scopes,
    });
  });

  it("are revoked once, and stay", async () => {
    const { database } = engine;
    const key = createKeyToken();
    await createApiKey(database, key, GRANT);
    expect(await revokeApiKey(database, key.id)).toBe(true);
    const revoked = await findApiKey(database, key.id);
    expect(revoked?.revokedAt).toEqual(expect.any(String));
    expect(await revokeApiKey(database, key.id)).toBe(false);
    expect(await findApiKey(database, key.id)).toEqual(revoked);
    expect(await revokeApiKey(database, "no-such-key")).toBe(false);
  });

  it("know when they were last used, to a minute", async () => {
    const { database } = engine;
    const key = createKeyToken();
    await createApiKey(database, key, GRANT);
    await recordApiKeyUse(database, key.id);
    const { lastUsedAt } = (await findApiKey(database, key.id)) ?? {};
    expect(lastUsedAt).toEqual(expect.any(String));
    await recordApiKeyUse(database, key.id);
    expect((await findApiKey(database, key.id))?.lastUsedAt).toBe(lastUsedAt);
  });

  it("are listed whole, the newest first, a page at a time", async () => {
    const { database } = engine;
    const made: string[] = [];
    for (let index = 0; index < 205; index += 1) {
      const key = createKeyToken();
      made.push(key.id);
      await createApiKey(database, key, { ...GRANT, name: `key ${index}` });
    }
    const listed: ApiKey[] = [];
    for await (const key of listApiKeys(database)) listed.push(key);
    const mine = new Set(made);
    expect(listed.filter(({ id }) => mine.has(id))).toHaveLength(made.length);
    expect(new Set(listed.map(({ id }) => id)).size).toBe(listed.length);
    const moments = listed.map(({ createdAt }) => createdAt);
    expect(moments).toEqual([...moments].sort().reverse());
    expect(JSON.stringify(listed)).not.toContain("secretHash");
  });
});

it("a key as text is read as it was written, and nothing else is one", () => {
  const key = createKeyToken();
  const text = writeKeyToken(key);
  expect(text).toMatch(/^synap_[0-9a-f]{12}_[0-9a-f]{64}$/);
  expect(readKeyToken(text)).toEqual(key);
  for (const other of [
    "",
    "synap_",
    ` ${text}`,
    `${text}\n`,
    `${text}0`,
    text.toUpperCase(),
    text.replace("_", "-"),
  ])
    expect(readKeyToken(other)).toBeUndefined();
});
