import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { createApiKey, revokeApiKey } from "./api-keys.ts";
import { createKeyToken } from "./key-token.ts";
import { hasSeal } from "./session-token.ts";
import { findSession } from "./sessions.ts";
import { createSignInLink, findSignInLink, LINK_MINUTES, useSignInLink } from "./sign-in-links.ts";

const API_SECRET = "a secret of at least 32 characters";
const ADA = { kind: "staff", principalId: "ada", scopes: ["admin", "read"], origin: "jwt:1" } as const;
const MINUTE_MS = 60_000;

describeOnEveryEngine("sign-in links", (engine) => {
  const create = (more: object = {}) => createSignInLink(engine.database, API_SECRET, { ...ADA, ...more });
  const find = (token: { id: string; secret: string }, secret = API_SECRET) =>
    findSignInLink(engine.database, secret, token);
  const use = (token: { id: string; secret: string }, ends?: string) =>
    useSignInLink(engine.database, API_SECRET, token, ends);

  it("begin a session of whoever made them, once, and are kept without their secret", async () => {
    const { database } = engine;
    const link = await create();
    const left = Date.parse(link.expiresAt) - Date.now();
    expect(Math.round(left / MINUTE_MS)).toBe(LINK_MINUTES);
    const rows = await database.query("SELECT l::text AS row FROM synap.sign_in_links AS l");
    expect(JSON.stringify(rows)).toContain(link.id);
    expect(JSON.stringify(rows)).not.toContain(link.secret);

    expect(await find(link)).toMatchObject(ADA);
    expect(await find(link)).toMatchObject(ADA);
    const begun = await use(link);
    const session = await findSession(database, begun?.id ?? "");
    expect(session).toMatchObject(ADA);
    expect(begun && session && hasSeal(session.seal, API_SECRET, begun, session)).toBe(true);
    expect([begun?.id, begun?.secret]).not.toEqual([link.id, link.secret]);
    expect(await use(link)).toBeUndefined();
    expect(await find(link)).toBeUndefined();
  });

  it("begin one session, however many use them at the same moment", async () => {
    const link = await create();
    const begun = await Promise.all(Array.from({ length: 8 }, () => use(link)));
    expect(begun.filter((each) => each !== undefined)).toHaveLength(1);
  });

  it("work with their own secret and that of the API only, and a wrong one does not use them up", async () => {
    const link = await create();
    const { secret } = createKeyToken();
    for (const wrong of [
      { ...link, secret },
      { ...link, id: createKeyToken().id },
    ]) {
      expect(await find(wrong)).toBeUndefined();
      expect(await use(wrong)).toBeUndefined();
    }
    expect(await find(link, "another secret of 32 characters!")).toBeUndefined();
    expect(await use(link)).toBeDefined();
  });

  it.each([
    ["scopes", "'admin backfill'"],
    ["kind", "'user'"],
    ["principal_id", "'eve'"],
    ["origin", "'jwt:2'"],
    ["expires_at", "expires_at + interval '1 day'"],
    ["ends_before", "'2100-01-01'"],
  ])("do not work once their %s was changed in the database", async (column, value) => {
    const link = await create();
    await engine.database.asOwner((owner) =>
      owner.query(`UPDATE synap.sign_in_links SET ${column} = ${value} WHERE id = $1`, [link.id]),
    );
    expect(await use(link)).toBeUndefined();
  });

  it("are no sessions, and no session is one, whoever copies the row", async () => {
    const link = await create();
    await engine.database.query(
      `INSERT INTO synap.sessions (id, seal, kind, principal_id, scopes, origin, ends_at, idle_ends_at)
       SELECT id, seal, kind, principal_id, scopes, origin, expires_at, expires_at FROM synap.sign_in_links WHERE id = $1`,
      [link.id],
    );
    const copied = await findSession(engine.database, link.id);
    expect(copied && hasSeal(copied.seal, API_SECRET, link, copied)).toBe(false);
  });

  it("expire, no later than what their maker has shown, and the session ends with that too", async () => {
    const past = await create({ endsBefore: Date.now() - 1 });
    expect(await find(past)).toBeUndefined();
    expect(await use(past)).toBeUndefined();
    const endsBefore = Date.now() + 5 * MINUTE_MS;
    const link = await create({ endsBefore });
    expect(Date.parse(link.expiresAt)).toBe(endsBefore);
    const begun = await use(link);
    expect(Date.parse(begun?.endsAt ?? "")).toBe(endsBefore);
  });

  it("stop with the API key behind them, and so does a session that begins at that moment", async () => {
    const { database } = engine;
    const key = createKeyToken();
    await createApiKey(database, key, { name: "test", kind: "staff", principalId: "ada", scopes: [] });
    const origin = `key:${key.id}`;
    const [link, other] = [await create({ origin }), await create({ origin: `key:${createKeyToken().id}` })];
    const begun = await use(await create({ origin }));
    await revokeApiKey(database, key.id);
    // As if it had begun after the revocation had looked for sessions.
    await database.asOwner((owner) => owner.query("UPDATE synap.sessions SET revoked_at = NULL"));
    expect((await findSession(database, begun?.id ?? ""))?.revokedAt).toEqual(expect.any(String));
    expect(await find(link)).toBeUndefined();
    expect(await use(link)).toBeUndefined();
    expect(await use(other)).toBeDefined();
  });

  it("end the session that the browser had before, and only if they work", async () => {
    const { database } = engine;
    const before = await use(await create());
    const link = await create();
    expect(await use({ ...link, secret: createKeyToken().secret }, before?.id)).toBeUndefined();
    expect((await findSession(database, before?.id ?? ""))?.revokedAt).toBeUndefined();
    expect(await use(link, before?.id)).toBeDefined();
    expect((await findSession(database, before?.id ?? ""))?.revokedAt).toEqual(expect.any(String));
  });

  it("are removed when they have expired", async () => {
    const old = await create({ endsBefore: Date.now() - 10 * MINUTE_MS });
    await create();
    const rows = await engine.database.query("SELECT id FROM synap.sign_in_links WHERE id = $1", [old.id]);
    expect(rows).toEqual([]);
  });
});
