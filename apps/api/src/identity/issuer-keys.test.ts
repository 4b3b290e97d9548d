import { jwtVerify } from "jose";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createIssuerKey,
  type IssuerKey,
  signToken,
  startTestIssuer,
  type TestIssuer,
} from "../../testing/test-issuer.ts";
import { createIssuerKeys, IssuerUnavailableError } from "./issuer-keys.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
let issuer: TestIssuer;
let key: IssuerKey;
let clock: { now: number };

beforeEach(async () => {
  key = await createIssuerKey("ES256", "first");
  issuer = await startTestIssuer([key.jwk]);
  clock = { now: 0 };
});
afterEach(() => issuer.stop());

function keysOf(options: { jwksUrl?: string; readMs?: number } = {}) {
  const keys = createIssuerKeys({
    issuer: issuer.url,
    logger: pino({ level: "silent" }),
    now: () => clock.now,
    ...options,
  });
  return async (by: IssuerKey) => jwtVerify(await signToken(by, {}), keys);
}

/** Verifies again after the pause between two readings: on a busy machine one may take longer than its limit here. */
const later = (verify: (by: IssuerKey) => Promise<unknown>) => () => {
  clock.now += 31_000;
  return verify(key).catch((error: unknown) => error);
};

const ok = expect.objectContaining({ payload: expect.objectContaining({ sub: "ada" }) });

describe("the keys of an issuer", () => {
  it("are found by its configuration document or at their address, and read once for many tokens", async () => {
    const verify = keysOf();
    expect(await Promise.all(Array.from({ length: 20 }, () => verify(key)))).toEqual(Array(20).fill(ok));
    expect(issuer.requests).toEqual(["/.well-known/openid-configuration", "/keys"]);
    expect(await keysOf({ jwksUrl: `${issuer.url}/at-their-address` })(key)).toEqual(ok);
    expect(issuer.requests.slice(2)).toEqual(["/at-their-address"]);
  });

  it("stay in use for a day while the issuer is away", async () => {
    const verify = keysOf({ readMs: 300 });
    await verify(key);
    for (const behaviour of ["fail", "redirect", "flood", "hang"] as const) {
      issuer.behaviour = behaviour;
      clock.now += HOUR;
      expect(await verify(key)).toEqual(ok);
    }
    issuer.behaviour = "fail";
    clock.now = 25 * HOUR;
    // The reading that began before may still wait for an answer.
    await expect
      .poll(
        () =>
          verify(key).then(
            () => "verified",
            (error: unknown) => error,
          ),
        { timeout: 20_000 },
      )
      .toBeInstanceOf(IssuerUnavailableError);
    issuer.behaviour = "answer";
    await expect.poll(later(verify), { timeout: 20_000 }).toEqual(ok);
  });

  it("are waited for no longer than the limit, and then refused at once for some seconds", async () => {
    issuer.behaviour = "hang";
    const verify = keysOf({ readMs: 300 });
    const all = await Promise.all(
      Array.from({ length: 20 }, () => verify(key).catch((error: unknown) => error)),
    );
    for (const error of all) expect(error).toBeInstanceOf(IssuerUnavailableError);
    issuer.behaviour = "answer";
    await expect(verify(key)).rejects.toBeInstanceOf(IssuerUnavailableError);
    expect(issuer.requests).toHaveLength(1);
    await expect.poll(later(verify), { timeout: 20_000 }).toEqual(ok);
  });

  it("of a flood of unknown ids are asked for once in 30 s; a new key is found after that", async () => {
    const verify = keysOf();
    await verify(key);
    const next = await createIssuerKey("ES256", "second");
    const strangers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => createIssuerKey("ES256", `x${index}`)),
    );
    const flood = () => Promise.all(strangers.map((each) => verify(each).catch(({ code }) => code)));
    expect(new Set(await flood())).toEqual(new Set(["ERR_JWKS_NO_MATCHING_KEY"]));
    expect(issuer.requests).toHaveLength(2);
    issuer.keys = [key.jwk, next.jwk];
    await expect(verify(next)).rejects.toMatchObject({ code: "ERR_JWKS_NO_MATCHING_KEY" });
    clock.now += 31_000;
    await flood();
    expect(issuer.requests).toHaveLength(4);
    expect(await verify(next)).toEqual(ok);
    expect(await verify(key)).toEqual(ok);
  });

  it("that it has withdrawn are refused once they were read again", async () => {
    const verify = keysOf();
    await verify(key);
    issuer.keys = [];
    clock.now += 11 * MINUTE;
    await expect
      .poll(() =>
        verify(key).then(
          () => "verified",
          ({ code }) => code,
        ),
      )
      .toBe("ERR_JWKS_NO_MATCHING_KEY");
  });

  it("that are secrets are not used", async () => {
    issuer.keys = [
      { kty: "oct", k: Buffer.from("secret").toString("base64url"), kid: "first", alg: "HS256" },
    ];
    await expect(keysOf()(key)).rejects.toMatchObject({ code: "ERR_JWKS_NO_MATCHING_KEY" });
  });
});
