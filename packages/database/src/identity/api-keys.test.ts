import { beforeAll, expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import type { SqlParameter, SqlSession, Transaction } from "../connection/sql-session.ts";
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

// As many as make another plan pay: the figures for a million are in docs/insides/performance.md.
describeOnEveryEngine("twenty thousand API keys", (engine) => {
  const MANY = 20_000;

  beforeAll(async () => {
    await engine.database.asOwner(async (owner) => {
      await owner.query(
        `INSERT INTO synap.api_keys (id, secret_hash, name, kind, principal_id, scopes, created_at)
         SELECT lpad(to_hex(n), 12, '0'), repeat('0', 64), 'key ' || n, 'user', 'u' || n, 'read',
                timestamptz '2026-01-01' + n / 10 * interval '1 second'
           FROM generate_series(1, $1::int) AS n`,
        [MANY],
      );
      await owner.execute("ANALYZE synap.api_keys");
    });
  });

  it("cost a request no more rows than one", async () => {
    const { database } = engine;
    const plans: Plan[] = [];
    expect(await findApiKey(explaining(database, plans), "000000002710")).toMatchObject({
      name: "key 10000",
    });
    expect(await findApiKey(explaining(database, plans), "ffffffffffff")).toBeUndefined();
    await recordApiKeyUse(explaining(database, plans), "000000002710");
    await database.asOwner(async (owner) => {
      const asOwner = {
        asOwner: <T>(work: (own: Transaction) => Promise<T>) => work(explaining(owner, plans)),
      };
      expect(await revokeApiKey(asOwner, "000000002710")).toBe(true);
      expect(await revokeApiKey(asOwner, "ffffffffffff")).toBe(false);
    });
    expect(plans).toHaveLength(5);
    for (const plan of plans) expect(rowsRead(plan)).toBeLessThanOrEqual(1);
  });

  it("are listed by reading each page once, the last like the first", async () => {
    const plans: Plan[] = [];
    let listed = 0;
    for await (const key of listApiKeys(explaining(engine.database, plans))) if (key.name !== "") listed += 1;
    expect(listed).toBe(MANY);
    expect(plans.length).toBeLessThanOrEqual(21);
    // The page, and the key after which it begins.
    for (const plan of plans) expect(rowsRead(plan)).toBeLessThanOrEqual(1_001);
  });
});

/** A node of a plan, as EXPLAIN writes it. */
interface Plan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Actual Rows"?: number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly Plan[];
}

/** A session that also explains each statement, without leaving behind what the explanation did. */
function explaining<Session extends SqlSession>(session: Session, plans: Plan[]): Session {
  return {
    ...session,
    query: async <Row extends object>(text: string, parameters: readonly SqlParameter[] = []) => {
      const reads = text.trim().startsWith("SELECT") ? "ANALYZE, " : "";
      const [explained] = await session.query<{ "QUERY PLAN": readonly { readonly Plan: Plan }[] }>(
        `EXPLAIN (${reads}FORMAT JSON) ${text}`,
        parameters,
      );
      const plan = explained?.["QUERY PLAN"][0]?.Plan;
      if (plan !== undefined) plans.push(plan);
      return session.query<Row>(text, parameters);
    },
  };
}

/** Rows of API keys that a plan reads; of one that was not run, those of a look-up by the id. */
function rowsRead(plan: Plan): number {
  const own = plan["Relation Name"] === "api_keys" && plan["Node Type"] !== "ModifyTable";
  const isLookUp = plan["Node Type"].startsWith("Index");
  const rows =
    plan["Actual Rows"] === undefined
      ? isLookUp
        ? 1
        : Number.POSITIVE_INFINITY
      : plan["Actual Rows"] + (plan["Rows Removed by Filter"] ?? 0);
  return (own ? rows : 0) + (plan.Plans ?? []).reduce((sum, inner) => sum + rowsRead(inner), 0);
}

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
