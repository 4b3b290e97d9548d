import { DatabaseUnavailableError } from "@synap/database";
import {
  createKeyToken,
  hashSecret,
  type KeyToken,
  type StoredApiKey,
  writeKeyToken,
} from "@synap/database/internal";
import { pino } from "pino";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createKeyPrincipals } from "./key-principals.ts";

const SECOND = 1_000;

/** Keys in memory, with a clock and a database that can be away. */
function keysInMemory() {
  const rows = new Map<string, StoredApiKey>();
  const state = { now: 0, isAway: false, reads: 0, uses: [] as string[] };
  const keys = createKeyPrincipals({
    logger: pino({ level: "silent" }),
    now: () => state.now,
    store: {
      find: async (id) => {
        state.reads += 1;
        if (state.isAway) throw new DatabaseUnavailableError("away");
        return rows.get(id);
      },
      recordUse: async (id) => {
        state.uses.push(id);
      },
    },
  });
  const add = (fields: Partial<StoredApiKey> = {}, key = createKeyToken()): KeyToken => {
    rows.set(key.id, {
      id: key.id,
      name: "test",
      kind: "user",
      principalId: "ada",
      scopes: ["publish"],
      secretHash: hashSecret(key.secret),
      createdAt: "2026-01-01T00:00:00.000Z",
      ...fields,
    });
    return key;
  };
  const change = (id: string, fields: Partial<StoredApiKey>) => {
    const row = rows.get(id);
    if (row !== undefined) rows.set(id, { ...row, ...fields });
  };
  const principalOf = async (key: KeyToken) => keys.principalOf(writeKeyToken(key));
  return { state, add, change, principalOf, keys };
}

const invalid = expect.objectContaining({ code: "token-invalid", status: 401 });
const revoked = { revokedAt: "2026-01-02T00:00:00.000Z" };

describe("an API key", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is read once for many requests, and then answered without waiting", async () => {
    const { state, add, principalOf, keys } = keysInMemory();
    const key = add({ scopes: ["publish", "of-a-later-release"] });
    const all = await Promise.all(Array.from({ length: 50 }, () => principalOf(key)));
    expect(new Set(all).size).toBe(1);
    expect(all[0]).toMatchObject({ kind: "user", id: "ada", credential: { kind: "key", id: key.id } });
    expect([...(all[0]?.scopes ?? [])]).toEqual(["publish"]);
    expect(keys.principalOf(writeKeyToken(key))).not.toBeInstanceOf(Promise);
    expect(state.reads).toBe(1);
    expect(new Set(state.uses)).toEqual(new Set([key.id]));
  });

  it("is refused with another secret, an unknown id or another form, and each is no different from the others", async () => {
    const { add, principalOf, keys } = keysInMemory();
    const key = add();
    const wrong = [
      { ...key, secret: createKeyToken().secret },
      createKeyToken(),
      { id: key.id, secret: "" },
      { id: "", secret: key.secret },
      { id: key.id.toUpperCase(), secret: key.secret },
      { id: key.id, secret: `${key.secret}0` },
    ];
    const details = new Set<string>();
    for (const token of wrong) {
      const error: unknown = await principalOf(token).catch((thrown: unknown) => thrown);
      expect(error).toEqual(invalid);
      details.add(error instanceof Error ? error.message : "");
    }
    expect(details).toEqual(new Set(["There is no such API key."]));
    expect(() => keys.principalOf("synap_")).toThrow(invalid);
    expect(await principalOf(key)).toMatchObject({ id: "ada" });
  });

  it("ends when it expires, without being read again", async () => {
    const { state, add, principalOf } = keysInMemory();
    vi.useFakeTimers({ toFake: ["Date"] });
    const end = Date.now() + 3_000;
    const key = add({ expiresAt: new Date(end).toISOString() });
    expect(await principalOf(key)).toMatchObject({ expiresAt: end });
    vi.setSystemTime(end - 1);
    expect(await principalOf(key)).toMatchObject({ id: "ada" });
    vi.setSystemTime(end);
    await expect(principalOf(key)).rejects.toThrow("has expired");
    expect(state.reads).toBe(1);
    await expect(principalOf(add({ expiresAt: "2026-01-01T00:00:00.000Z" }))).rejects.toThrow("has expired");
  });

  it("stops within 30 s of its revocation, whether it is used all the time or not", async () => {
    const { state, add, change, principalOf } = keysInMemory();
    const [idle, busy] = [add(), add()];
    await Promise.all([principalOf(idle), principalOf(busy)]);
    change(idle.id, revoked);
    change(busy.id, revoked);
    let acceptedUntil = 0;
    for (state.now = 0; state.now < 30 * SECOND; state.now += SECOND) {
      if (await principalOf(busy).catch(() => undefined)) acceptedUntil = state.now;
    }
    expect(acceptedUntil).toBeLessThan(30 * SECOND);
    await expect(principalOf(busy)).rejects.toThrow("was revoked");
    await expect(principalOf(idle)).rejects.toThrow("was revoked");
  });

  it("of an unknown id is not looked up again for a while, and accepted once it is made", async () => {
    const { state, add, principalOf } = keysInMemory();
    const stranger = createKeyToken();
    for (let attempt = 0; attempt < 20; attempt += 1)
      await expect(principalOf(stranger)).rejects.toEqual(invalid);
    expect(state.reads).toBe(1);
    add({}, stranger);
    await expect(principalOf(stranger)).rejects.toEqual(invalid);
    state.now = 11 * SECOND;
    expect(await principalOf(stranger)).toMatchObject({ id: "ada" });
    expect(state.reads).toBe(2);
  });

  it("stays accepted for minutes while the database is away, and a new one waits for it", async () => {
    const { state, add, principalOf } = keysInMemory();
    const [known, fresh] = [add(), add()];
    await principalOf(known);
    state.isAway = true;
    state.now = 200 * SECOND;
    expect(await principalOf(known)).toMatchObject({ id: "ada" });
    await expect(principalOf(fresh)).rejects.toMatchObject({ code: "identity-unavailable", status: 503 });
    state.now = 301 * SECOND;
    await expect(principalOf(known)).rejects.toMatchObject({ code: "identity-unavailable" });
    state.isAway = false;
    expect(await principalOf(known)).toMatchObject({ id: "ada" });
  });

  it("costs the database no more than a bounded number of reads at a time, however many are guessed", async () => {
    const { state, add, principalOf } = keysInMemory();
    const known = add();
    await principalOf(known);
    const guesses = Array.from({ length: 1_000 }, () =>
      principalOf(createKeyToken()).catch(({ code }) => code),
    );
    state.now = 26 * SECOND;
    expect(await principalOf(known)).toMatchObject({ id: "ada" });
    const codes = await Promise.all(guesses);
    expect(state.reads).toBeLessThanOrEqual(202);
    expect(new Set(codes)).toEqual(new Set(["token-invalid", "identity-unavailable"]));
  });
});
