import { createHmac } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createKeyToken, hashSecret, type KeyToken, writeKeyToken } from "@synap/database/internal";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { createKeyPrincipals } from "./key-principals.ts";
import { createTokenPrincipals, type TokenPrincipals } from "./token-principals.ts";

// Anybody may send credentials, and nobody is known before they are looked at. What is kept of them must have an end.
const logger = pino({ level: "silent" });
const MEBIBYTE = 2 ** 20;

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** Bytes in use, without what can be collected. */
function used(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

const SECRET = "a secret of the issuer that has 32 bytes";
const [ISSUER, AUDIENCE] = ["https://issuer.example", "synap"];
const END = Math.floor(Date.now() / 1_000) + 86_400;

function tokens(): TokenPrincipals {
  const configuration = {
    issuer: ISSUER,
    audience: AUDIENCE,
    secret: SECRET,
    rolesClaim: "roles",
    roles: {},
  };
  // The clock stands still, so what is forgotten is forgotten for want of room.
  return createTokenPrincipals(configuration, logger, () => 0);
}

/** The token of a user of its own, with an id and a `kid` as long as a token has room for. */
function tokenOf(user: number, claims: object = {}, secret = SECRET): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const header = part({ alg: "HS256", kid: `${user} `.padEnd(800, "k") });
  const own = { iss: ISSUER, aud: AUDIENCE, sub: `user-${user}`, jti: `${user} `.padEnd(4_000, "j") };
  const payload = part({ ...own, exp: END, roles: `${user} `.padEnd(300, "r"), ...claims });
  const signature = createHmac("sha256", secret).update(`${header}.${payload}`).digest("base64url");
  return `${header}.${payload}.${signature}`;
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

/** Runs something for each number, as many at a time as keys may be looked up. */
async function forEach(from: number, to: number, work: (number: number) => Promise<unknown>): Promise<void> {
  for (let first = from; first < to; first += 200) {
    await Promise.all(numbers(first, Math.min(to, first + 200)).map(work));
  }
}

describe("of tokens", () => {
  const KEPT = 20_000;

  it("the last 20,000 are known, in two kilobytes each, however long their claims are", async () => {
    const principals = tokens();
    const before = used();
    await forEach(0, KEPT + 500, async (user) => principals.principalOf(tokenOf(user)));
    expect(used() - before).toBeLessThan(40 * MEBIBYTE);
    const isKnown = (user: number) => !(principals.principalOf(tokenOf(user)) instanceof Promise);
    // Those that are verified at the same time may end in any order.
    for (const user of [600, 601, 10_000, KEPT, KEPT + 499]) expect(isKnown(user)).toBe(true);
    for (const user of [0, 250, 399]) expect(isKnown(user)).toBe(false);
    expect(await principals.principalOf(tokenOf(399))).toMatchObject({ id: "user-399" });
  });

  it("20,000 wrong ones leave nothing, and take no place from those that are known", async () => {
    const principals = tokens();
    const known = await principals.principalOf(tokenOf(1));
    const wrong: readonly ((user: number) => string)[] = [
      (user) => tokenOf(user, {}, "a secret of somebody else of 32 bytes"),
      (user) => tokenOf(user, { iss: `https://issuer-${user}.example` }),
      (user) => tokenOf(user, { aud: `audience-${user}` }),
      (user) => tokenOf(user, { sub: `${user} `.padEnd(121, "s") }),
      (user) => tokenOf(user, { exp: 1 + user }),
      (user) => `${tokenOf(user)}${user}`,
      (user) => `${user}${tokenOf(user)}`,
      (user) => `${user}.${user}.${user}`,
    ];
    const codes = new Set<string>();
    const before = used();
    await forEach(0, 20_000, async (user) => {
      const token = wrong[user % wrong.length]?.(user) ?? "";
      try {
        await principals.principalOf(token);
      } catch (error) {
        codes.add(error instanceof Error && "code" in error ? String(error.code) : "");
      }
    });
    expect(used() - before).toBeLessThan(10 * MEBIBYTE);
    expect(codes).toEqual(new Set(["token-invalid"]));
    expect(principals.principalOf(tokenOf(1))).toBe(known);
  });
});

describe("of API keys", () => {
  /** The keys of a database in which every key exists that has this secret, and the number of times that it was asked. */
  function keys() {
    const real = createKeyToken();
    const state = { reads: 0 };
    const principals = createKeyPrincipals({
      logger,
      now: () => 0,
      store: {
        find: async (id) => {
          state.reads += 1;
          if (id.startsWith("f")) return undefined;
          const secretHash = hashSecret(real.secret);
          const createdAt = "2026-01-01T00:00:00.000Z";
          return {
            id,
            name: "test",
            kind: "user",
            principalId: `user-${id}`,
            scopes: [],
            secretHash,
            createdAt,
          };
        },
        recordUse: async () => {},
      },
    });
    const principalOf = async (key: KeyToken) => principals.principalOf(writeKeyToken(key));
    const keyOf = (first: string, number: number): KeyToken => ({
      id: `${first}${number.toString(16).padStart(11, "0")}`,
      secret: real.secret,
    });
    return { state, principalOf, keyOf };
  }

  it("the last 50,000 are known", async () => {
    const { state, principalOf, keyOf } = keys();
    const before = used();
    await forEach(0, 50_500, (number) => principalOf(keyOf("0", number)));
    expect(used() - before).toBeLessThan(75 * MEBIBYTE);
    expect(state.reads).toBe(50_500);
    for (const number of [500, 501, 25_000, 50_499]) await principalOf(keyOf("0", number));
    expect(state.reads).toBe(50_500);
    for (const number of [0, 250, 499]) await principalOf(keyOf("0", number));
    expect(state.reads).toBe(50_503);
  });

  it("the last 10,000 ids that none has are known, and take no place from those that one has", async () => {
    const { state, principalOf, keyOf } = keys();
    const guess = (number: number) => principalOf(keyOf("f", number)).catch(({ code }) => code);
    await principalOf(keyOf("0", 1));
    const before = used();
    await forEach(0, 20_000, guess);
    expect(used() - before).toBeLessThan(10 * MEBIBYTE);
    expect(state.reads).toBe(20_001);
    for (const number of [10_000, 15_000, 19_999]) expect(await guess(number)).toBe("token-invalid");
    await principalOf(keyOf("0", 1));
    expect(state.reads).toBe(20_001);
    for (const number of [0, 9_999]) expect(await guess(number)).toBe("token-invalid");
    expect(state.reads).toBe(20_003);
  });
});
