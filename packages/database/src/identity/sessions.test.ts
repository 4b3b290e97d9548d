import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { createApiKey, REVOKE, revokeApiKey } from "./api-keys.ts";
import { createKeyToken } from "./key-token.ts";
import { hasSeal, readSessionToken, sealSession, writeSessionToken } from "./session-token.ts";
import {
  beginSession,
  endSession,
  findSession,
  listSessions,
  recordSessionUse,
  type Session,
} from "./sessions.ts";

const API_SECRET = "a secret of at least 32 characters";
const ADA = {
  kind: "staff",
  principalId: "ada",
  scopes: ["read", "admin"],
  origin: "oidc:https://id.example",
} as const;
const HOUR_MS = 3_600_000;

describeOnEveryEngine("sessions", (engine) => {
  const begin = (more: object = {}) => beginSession(engine.database, API_SECRET, { ...ADA, ...more });

  it("are kept without their secret, and end after a day at the latest, or hours without use", async () => {
    const { database } = engine;
    const token = await begin();
    const stored = await findSession(database, token.id);
    expect(stored).toMatchObject({ ...ADA, id: token.id, endsAt: token.endsAt });
    expect(stored && hasSeal(stored.seal, API_SECRET, token, stored)).toBe(true);
    const left = (moment = "") => Math.round((Date.parse(moment) - Date.now()) / HOUR_MS);
    expect([left(stored?.endsAt), left(stored?.idleEndsAt)]).toEqual([24, 8]);
    const rows = await database.query("SELECT s::text AS row FROM synap.sessions AS s");
    expect(JSON.stringify(rows)).not.toContain(token.secret);
    expect(await findSession(database, "000000000000")).toBeUndefined();
  });

  it("end no later than what their holder has shown", async () => {
    const endsBefore = Date.now() + HOUR_MS;
    const { id } = await begin({ endsBefore });
    const { endsAt = "", idleEndsAt = "" } = (await findSession(engine.database, id)) ?? {};
    expect([endsAt, idleEndsAt].map(Date.parse)).toEqual([endsBefore, endsBefore]);
  });

  it("end once, and stay", async () => {
    const { database } = engine;
    const { id } = await begin();
    expect(await endSession(database, id)).toBe(true);
    const ended = await findSession(database, id);
    expect(ended?.revokedAt).toEqual(expect.any(String));
    expect(await endSession(database, id)).toBe(false);
    expect(await findSession(database, id)).toEqual(ended);
  });

  it("end with the API key that they were begun with", async () => {
    const { database } = engine;
    const [key, other] = [createKeyToken(), createKeyToken()];
    for (const each of [key, other])
      await createApiKey(database, each, { name: "test", kind: "staff", principalId: "ada", scopes: [] });
    const ends = await begin({ origin: `key:${key.id}` });
    const stays = await begin({ origin: `key:${other.id}` });
    await revokeApiKey(database, key.id);
    expect((await findSession(database, ends.id))?.revokedAt).toEqual(expect.any(String));
    expect((await findSession(database, stays.id))?.revokedAt).toBeUndefined();
  });

  it("of an API key are found by an index, however many there are", async () => {
    const plan = await engine.database.asOwner(async (owner) => {
      await owner.execute(`
        INSERT INTO synap.sessions (id, seal, kind, principal_id, scopes, origin, ends_at, idle_ends_at)
        SELECT 'many-' || n, repeat('a', 64), 'user', 'u' || n, 'read', 'key:' || lpad(to_hex(n % 500), 12, '0'),
               clock_timestamp() + interval '1 day', clock_timestamp() + interval '1 hour'
          FROM generate_series(1, 5000) AS n`);
      await owner.execute("ANALYZE synap.sessions");
      return owner.query(`EXPLAIN ${REVOKE.replaceAll("$1", "'000000000007'")}`);
    });
    await engine.database.asOwner((owner) =>
      owner.execute("DELETE FROM synap.sessions WHERE id LIKE 'many-%'"),
    );
    const text = JSON.stringify(plan);
    expect(text).toContain("sessions_origin");
    expect(text).not.toContain("Seq Scan on sessions");
    expect(text).toContain("Index Cond: (origin = 'key:");
  });

  /** Makes a session look as if its last use was minutes ago. */
  async function age(id: string, minutes: number): Promise<void> {
    const by = "make_interval(mins => $2::integer)";
    await engine.database.query(
      `UPDATE synap.sessions SET last_used_at = last_used_at - ${by}, idle_ends_at = idle_ends_at - ${by} WHERE id = $1`,
      [id, minutes],
    );
  }

  it("live on while they are used, to a minute, but are not revived", async () => {
    const { database } = engine;
    const { id } = await begin();
    const begun = await findSession(database, id);
    await recordSessionUse(database, id);
    expect(await findSession(database, id)).toEqual(begun);
    await age(id, 60);
    await recordSessionUse(database, id);
    const used = await findSession(database, id);
    expect(Date.parse(used?.idleEndsAt ?? "")).toBeGreaterThanOrEqual(Date.parse(begun?.idleEndsAt ?? ""));
    await age(id, 9 * 60);
    const idle = await findSession(database, id);
    await recordSessionUse(database, id);
    expect(await findSession(database, id)).toEqual(idle);
  });

  it("are removed long after their end", async () => {
    const { database } = engine;
    const { id } = await begin();
    const old = await begin();
    await database.asOwner((owner) =>
      owner.query("UPDATE synap.sessions SET ends_at = ends_at - interval '32 days' WHERE id = $1", [old.id]),
    );
    await begin();
    expect(await findSession(database, old.id)).toBeUndefined();
    expect(await findSession(database, id)).toBeDefined();
  });

  it("are listed whole, the newest first, a page at a time", async () => {
    const { database } = engine;
    const made = new Set<string>();
    for (let index = 0; index < 105; index += 1) made.add((await begin()).id);
    const listed: Session[] = [];
    for await (const session of listSessions(database)) listed.push(session);
    expect(listed.filter(({ id }) => made.has(id))).toHaveLength(made.size);
    expect(new Set(listed.map(({ id }) => id)).size).toBe(listed.length);
    const moments = listed.map(({ createdAt }) => createdAt);
    expect(moments).toEqual([...moments].sort().reverse());
    expect(JSON.stringify(listed)).not.toContain("seal");
  });
});

it("a seal is for one session, one secret and one grant", () => {
  const token = createKeyToken();
  const grant = { ...ADA, endsAt: "2031-01-01T00:00:00.000Z" };
  const seal = sealSession(API_SECRET, token, grant);
  expect(hasSeal(seal, API_SECRET, token, { ...grant })).toBe(true);
  for (const [secret, other, changed] of [
    ["another secret", token, grant],
    [API_SECRET, createKeyToken(), grant],
    [API_SECRET, { ...token, secret: createKeyToken().secret }, grant],
    [API_SECRET, token, { ...grant, kind: "user" as const }],
    [API_SECRET, token, { ...grant, principalId: "eve" }],
    [API_SECRET, token, { ...grant, scopes: ["read", "admin", "backfill"] }],
    [API_SECRET, token, { ...grant, scopes: ["read admin"] }],
    [API_SECRET, token, { ...grant, origin: "key:0123456789ab" }],
    [API_SECRET, token, { ...grant, endsAt: "2032-01-01T00:00:00.000Z" }],
  ] as const)
    expect(hasSeal(seal, secret, other, changed)).toBe(false);
  expect(hasSeal("", API_SECRET, token, grant)).toBe(false);
});

it("a session as text is read as it was written, and nothing else is one", () => {
  const token = createKeyToken();
  const text = writeSessionToken(token);
  expect(text).toMatch(/^[0-9a-f]{12}_[0-9a-f]{64}$/);
  expect(readSessionToken(text)).toEqual(token);
  for (const other of ["", ` ${text}`, `${text}\n`, `${text}0`, `synap_${text}`, text.toUpperCase()])
    expect(readSessionToken(other)).toBeUndefined();
});
