import { createHmac } from "node:crypto";
import { CompactEncrypt, exportSPKI, importJWK, type JWTPayload, SignJWT } from "jose";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  createIssuerKey,
  type IssuerKey,
  signToken,
  startTestIssuer,
  type TestIssuer,
} from "../../testing/test-issuer.ts";
import { readTokenConfiguration, tokenVariables } from "./token-configuration.ts";
import { createTokenPrincipals, type TokenPrincipals } from "./token-principals.ts";

/** Claims that a forged token has instead; undefined for none. Moments are seconds from now. */
interface Changes {
  readonly aud?: string | undefined;
  readonly iss?: string | undefined;
  readonly sub?: string | undefined;
  readonly exp?: number | undefined;
  readonly nbf?: number;
}

const AUDIENCE = "synap";
const logger = pino({ level: "silent" });
const now = () => Math.floor(Date.now() / 1_000);
const invalid = expect.objectContaining({ code: "token-invalid", status: 401 });

let issuer: TestIssuer;
let keys: Record<"RS256" | "ES256" | "EdDSA", IssuerKey>;
let principals: TokenPrincipals;
let claims: JWTPayload;

beforeAll(async () => {
  keys = {
    RS256: await createIssuerKey("RS256", "r"),
    ES256: await createIssuerKey("ES256", "e"),
    EdDSA: await createIssuerKey("EdDSA", "d"),
  };
  issuer = await startTestIssuer(Object.values(keys).map(({ jwk }) => jwk));
  claims = { iss: issuer.url, aud: AUDIENCE };
  principals = principalsOf({});
});
afterAll(() => issuer.stop());

function principalsOf(variables: Record<string, string>): TokenPrincipals {
  const read = z
    .object(tokenVariables)
    .parse({ SYNAP_JWT_ISSUER: issuer.url, SYNAP_JWT_AUDIENCE: AUDIENCE, ...variables });
  const configuration = readTokenConfiguration(read);
  if (configuration === undefined) throw new Error("no tokens are configured");
  return createTokenPrincipals(configuration, logger);
}

const principalOf = async (token: string, of = principals) => of.principalOf(token);
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a token of the issuer", () => {
  it.each(["RS256", "ES256", "EdDSA"] as const)(
    "signed with %s is a user with the scopes of one",
    async (algorithm) => {
      const exp = now() + 60;
      const token = await signToken(keys[algorithm], { ...claims, exp, jti: "t-1" });
      expect(await principalOf(token)).toEqual({
        kind: "user",
        id: "ada",
        scopes: new Set(["publish", "read"]),
        expiresAt: exp * 1_000,
        credential: { kind: "jwt", id: "t-1" },
      });
      expect(principals.principalOf(token)).not.toBeInstanceOf(Promise);
    },
  );

  it("may be an access token by its type, for several audiences, and have a clock that differs by 20 s", async () => {
    for (const header of [{ typ: "JWT" }, { typ: "at+jwt" }, { typ: "application/at+JWT" }])
      expect(await principalOf(await signToken(keys.ES256, claims, header))).toMatchObject({ id: "ada" });
    const several = { ...claims, aud: ["other", AUDIENCE] };
    expect(await principalOf(await signToken(keys.ES256, several))).toMatchObject({ id: "ada" });
    for (const skewed of [{ exp: now() - 20 }, { nbf: now() + 20 }])
      expect(await principalOf(await signToken(keys.ES256, { ...claims, ...skewed }))).toMatchObject({
        id: "ada",
      });
  });

  it("has the kind of the first configured role that it names, and the scopes of all", async () => {
    const of = principalsOf({
      SYNAP_JWT_ROLES_CLAIM: "realm_access.roles",
      SYNAP_JWT_ROLES: JSON.stringify({
        operator: { kind: "staff", scopes: ["admin"] },
        support: { kind: "staff" },
        bot: { kind: "agent", scopes: ["publish"] },
      }),
    });
    const holderOf = async (roles: unknown) =>
      principalOf(await signToken(keys.ES256, { ...claims, realm_access: { roles } }), of);
    expect(await holderOf(["support", "operator"])).toMatchObject({
      kind: "staff",
      scopes: new Set(["admin", "publish", "read", "read-all"]),
    });
    const machine = signToken(keys.ES256, {
      ...claims,
      sub: "service:shop",
      realm_access: { roles: ["bot"] },
    });
    await expect(principalOf(await machine, of)).rejects.toEqual(invalid);
    expect(await holderOf("bot other")).toMatchObject({ kind: "agent", scopes: new Set(["publish"]) });
    for (const none of [[], ["constructor", "__proto__"], { operator: true }, 7, null])
      expect(await holderOf(none)).toMatchObject({ kind: "user", scopes: new Set(["publish", "read"]) });
  });

  it("keeps a subject with punctuation as it is, whatever the type of its id", async () => {
    for (const sub of [
      "auth0|5f7c",
      "https://id.example/users/1",
      "a'; DROP TABLE events; --",
      "user:ada",
      "a b",
    ])
      expect(await principalOf(await signToken(keys.EdDSA, { ...claims, sub, jti: 7 }))).toMatchObject({
        id: sub,
        credential: { kind: "jwt", id: sub },
      });
  });
});

describe("a forged or foreign token is refused", () => {
  it("without an algorithm, however it is spelt", async () => {
    const payload = base64({ ...claims, sub: "eve", exp: now() + 300 });
    for (const alg of ["none", "None", "NONE", "nOnE", "", undefined, null, 0, ["RS256"]])
      for (const signature of ["", "AAAA"])
        await expect(principalOf(`${base64({ alg, kid: "r" })}.${payload}.${signature}`)).rejects.toEqual(
          invalid,
        );
  });

  it("signed with the public key as a secret: HS256 is not accepted beside public keys", async () => {
    const { jwk } = keys.RS256;
    const imported = await importJWK({ ...jwk, ext: true }, "RS256");
    const pem = imported instanceof Uint8Array ? "" : await exportSPKI(imported);
    const payload = base64({ ...claims, sub: "eve", exp: now() + 300 });
    for (const secret of [pem, pem.trim(), JSON.stringify(jwk), String(jwk.n)]) {
      for (const [alg, hash] of [
        ["HS256", "sha256"],
        ["HS512", "sha512"],
      ] as const) {
        const text = `${base64({ alg, kid: "r" })}.${payload}`;
        const signature = createHmac(hash, secret).update(text).digest("base64url");
        await expect(principalOf(`${text}.${signature}`)).rejects.toEqual(invalid);
      }
    }
  });

  it("signed by another key, under any kid", async () => {
    for (const kid of ["r", "../../dev/null", "' OR 1=1 --", "__proto__", "", "x".repeat(1_000)]) {
      const stranger = await createIssuerKey("RS256", kid);
      await expect(principalOf(await signToken(stranger, claims))).rejects.toEqual(invalid);
    }
    const other = await createIssuerKey("RS512", "r");
    await expect(principalOf(await signToken(other, claims))).rejects.toEqual(invalid);
  });

  it("that brings its own key, or says where it is: nobody asks there", async () => {
    const trap = await startTestIssuer();
    try {
      const stranger = await createIssuerKey("ES256", "e");
      trap.keys = [stranger.jwk];
      for (const header of [{ jwk: stranger.jwk }, { jku: `${trap.url}/keys` }, { x5u: `${trap.url}/keys` }])
        await expect(principalOf(await signToken(stranger, claims, header))).rejects.toEqual(invalid);
      expect(trap.requests).toEqual([]);
    } finally {
      await trap.stop();
    }
  });

  it.each<[string, Changes]>([
    ["for another audience", { aud: "other" }],
    ["for no audience", { aud: undefined }],
    ["for an audience that begins alike", { aud: `${AUDIENCE}-other` }],
    ["of another issuer", { iss: "https://evil.example" }],
    ["of no issuer", { iss: undefined }],
    ["of an issuer with a slash more", { iss: "SLASH" }],
    ["that has expired", { exp: -31 }],
    ["without an end", { exp: undefined }],
    ["that is not valid yet", { nbf: 60 }],
    ["without a subject", { sub: undefined }],
    ["with an empty subject", { sub: "" }],
    ["with a subject that createdBy can't hold", { sub: "a".repeat(121) }],
    ["with control characters in its subject", { sub: "ada\u0000eve" }],
  ])("%s", async (_, changes) => {
    const at = (seconds: number | undefined) => (seconds === undefined ? undefined : now() + seconds);
    const given: Record<string, unknown> = {
      ...claims,
      ...changes,
      ...("exp" in changes && { exp: at(changes.exp) }),
      ...("nbf" in changes && { nbf: at(changes.nbf) }),
      ...(changes.iss === "SLASH" && { iss: `${claims.iss}/` }),
    };
    await expect(principalOf(await signToken(keys.RS256, given))).rejects.toEqual(invalid);
  });

  it.each<object>([
    { exp: `${now() + 300}` },
    { exp: null },
    { exp: {} },
    { exp: [now() + 300] },
    { nbf: "0" },
    { iat: [] },
    { aud: [] },
    { aud: [7] },
    { aud: { synap: true } },
    { aud: [[AUDIENCE]] },
    { iss: ["ISSUER"] },
    { sub: 7 },
    { sub: null },
    { sub: ["ada"] },
    { sub: { toString: "ada" } },
  ])("with claims of another type: %j", async (odd) => {
    const given = { ...claims, ...odd, ...("iss" in odd && { iss: [claims.iss] }) };
    await expect(principalOf(await signToken(keys.ES256, given))).rejects.toEqual(invalid);
  });

  it.each(["Ünï", " ada", "ada ", "ada\n", "ada\r\nx: y", "\u202eada", "🙂", "ada\u007f"])(
    "with a subject that is not printable ASCII: %j",
    async (subject) => {
      await expect(principalOf(await signToken(keys.ES256, { ...claims, sub: subject }))).rejects.toEqual(
        invalid,
      );
    },
  );

  it("by a key of the issuer that can't be used", async () => {
    const broken = { kty: "RSA", n: "AQAB", e: "AQAB", kid: "broken", alg: "RS256" };
    const other = await startTestIssuer([broken]);
    try {
      const of = principalsOf({ SYNAP_JWT_ISSUER: other.url });
      const token = await signToken(keys.RS256, { ...claims, iss: other.url }, { kid: "broken" });
      await expect(principalOf(token, of)).rejects.toEqual(invalid);
    } finally {
      await other.stop();
    }
  });

  it("of another purpose, or with an extension that nobody knows", async () => {
    for (const typ of ["logout+jwt", "dpop+jwt", "id_token", "", 7, null, ["JWT"]])
      await expect(principalOf(await signToken(keys.RS256, claims, { typ }))).rejects.toEqual(invalid);
    const text = `${base64({ alg: "RS256", kid: "r", crit: ["exp"], exp: now() })}.${base64(claims)}.AAAA`;
    await expect(principalOf(text)).rejects.toEqual(invalid);
  });

  it("changed after it was signed, in each of its parts", async () => {
    const token = await signToken(keys.ES256, claims);
    const [header = "", payload = "", signature = ""] = token.split(".");
    const eve = base64({ ...claims, sub: "eve", exp: now() + 300 });
    for (const changed of [
      `${header}.${eve}.${signature}`,
      `${base64({ alg: "ES256", kid: "d" })}.${payload}.${signature}`,
      `${header}.${payload}.`,
      `${header}.${payload}.${"A".repeat(signature.length)}`,
      `${header}.${payload}`,
      `${token}.`,
      `${token}.${signature}`,
      "..",
      "a.b.c",
      `${header}..${signature}`,
    ]) {
      await expect(principalOf(changed), changed).rejects.toEqual(invalid);
    }
  });

  it("that is encrypted rather than signed", async () => {
    const key = await importJWK({ kty: "oct", k: Buffer.alloc(32).toString("base64url") }, "A256GCM");
    const token = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(claims)))
      .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
      .encrypt(key);
    await expect(principalOf(token)).rejects.toEqual(invalid);
  });
});

describe("with a secret", () => {
  const secret = "a secret of at least 32 characters";
  const signed = (alg: string, by: string) =>
    new SignJWT({ ...claims, sub: "ada", exp: now() + 60 })
      .setProtectedHeader({ alg })
      .sign(new TextEncoder().encode(by));

  it("HS256 is accepted, and nothing else: no other secret, no other length, no public key", async () => {
    const of = principalsOf({ SYNAP_JWT_SECRET: secret });
    const before = issuer.requests.length;
    expect(await principalOf(await signed("HS256", secret), of)).toMatchObject({ id: "ada", kind: "user" });
    await expect(principalOf(await signed("HS256", `${secret}.`), of)).rejects.toEqual(invalid);
    await expect(principalOf(await signed("HS512", secret), of)).rejects.toEqual(invalid);
    await expect(principalOf(await signToken(keys.RS256, claims), of)).rejects.toEqual(invalid);
    const none = `${base64({ alg: "none" })}.${base64({ ...claims, sub: "eve", exp: now() + 60 })}.`;
    await expect(principalOf(none, of)).rejects.toEqual(invalid);
    expect(issuer.requests).toHaveLength(before);
  });
});
