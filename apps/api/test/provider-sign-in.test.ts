import { createHmac } from "node:crypto";
import { findSession } from "@synap/database/internal";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createCookieJar, send } from "../testing/browser.ts";
import { freePort } from "../testing/free-port.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";
import { createIssuerKey, signToken } from "../testing/test-issuer.ts";
import { CLIENT, startTestProvider, type TestProvider } from "../testing/test-provider.ts";
import { beginTestSession, SESSION_SECRET } from "../testing/test-sessions.ts";

const inBase64 = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const OPERATOR = { sub: "grace", roles: ["operator"] };

describe("signing in at an identity provider", () => {
  const logged: string[] = [];
  let api: TestApi;
  let provider: TestProvider;
  beforeAll(async () => {
    provider = await startTestProvider();
    signRight.push(provider.sign);
    const port = await freePort();
    api = await startTestApi(
      {
        port,
        identity: { apiKeys: true, localAccess: true, sessionSecret: SESSION_SECRET },
        provider: provider.configuration(`http://127.0.0.1:${port}/sign-in/callback`),
      },
      "embedded",
      { logger: pino({ level: "trace" }, { write: (line: string) => void logged.push(line) }) },
    );
  });
  const signRight: TestProvider["sign"][] = [];
  beforeEach(() => {
    Object.assign(provider, { behaviour: "answer", claims: OPERATOR, sign: signRight[0] });
  });
  afterAll(async () => {
    await api.stop();
    await provider.stop();
  });

  type Browser = ReturnType<typeof createCookieJar>;

  /** Begins to sign in, and returns the address of the provider. */
  async function begin(browser: Browser, returnTo = "/docs"): Promise<string> {
    const begun = await browser.visit(`${api.url}/sign-in/provider?${new URLSearchParams({ returnTo })}`);
    expect(begun.status).toBe(303);
    return begun.headers.location ?? "";
  }

  const whoAmI = async (browser: Browser) =>
    JSON.parse((await browser.visit(`${api.url}/api/v1/session`)).text);

  /** Expects that an answer signs nobody in. */
  async function expectRefused(browser: Browser, back: URL, status: number, code: string): Promise<string> {
    const refused = await browser.visit(back.href);
    expect([refused.status, refused.headers["content-type"]]).toEqual([status, "text/html; charset=utf-8"]);
    expect(refused.text).toContain(`<small>${code},`);
    expect((await whoAmI(browser)).id).toBe("local");
    return refused.text;
  }

  it("begins a session with the kind and the scopes of the roles, and leads to the page", async () => {
    const browser = createCookieJar();
    const page = await browser.visit(`${api.url}/sign-in?returnTo=/docs`);
    const [, href = ""] = /<a href="([^"]+)">/.exec(page.text) ?? [];
    expect(href).toBe(`${api.url}/sign-in/provider?returnTo=%2Fdocs`);
    const begun = await browser.visit(href);
    const asked = new URL(begun.headers.location ?? "");
    expect(asked.origin).toBe(provider.url);
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      client_id: "synap-api",
      response_type: "code",
      redirect_uri: `${api.url}/sign-in/callback`,
      scope: "openid",
      state: expect.any(String),
      nonce: expect.any(String),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: "S256",
    });
    const { port } = new URL(api.url);
    expect(begun.headers["set-cookie"]).toEqual([
      expect.stringMatching(
        new RegExp(`^synap_sign_in_${port}=[\\w-]+; Max-Age=600; Path=/; HttpOnly; SameSite=Lax$`),
      ),
    ]);
    expect(begun.headers["set-cookie"]?.[0]).not.toContain(asked.searchParams.get("state"));

    const back = await browser.visit(provider.signIn(asked.href).href);
    // Not by a redirect, which would come from another site, as the browser says.
    expect([back.status, back.headers.location]).toEqual([200, undefined]);
    expect(back.text).toContain('<meta http-equiv="refresh" content="0;url=/docs">');
    expect([...browser.cookies.keys()]).toEqual([`synap_session_${port}`]);
    const who = await whoAmI(browser);
    expect(who).toMatchObject({ kind: "staff", id: "grace", scopes: ["admin", "read"] });
    expect((await findSession(api.database, who.credential.id))?.origin).toBe(`oidc:${provider.url}`);
  });

  it("makes a user of somebody without a role", async () => {
    const browser = createCookieJar();
    provider.claims = { sub: "ada" };
    await browser.visit(provider.signIn(await begin(browser)).href);
    expect(await whoAmI(browser)).toMatchObject({ kind: "user", id: "ada", scopes: ["publish", "read"] });
  });

  it("replaces the session that the browser had, which ends", async () => {
    const browser = createCookieJar();
    const before = await beginTestSession(api.database, api.url);
    const [name = "", value = ""] = before.cookie.split("=");
    browser.cookies.set(name, value);
    await browser.visit(provider.signIn(await begin(browser)).href);
    expect((await whoAmI(browser)).id).toBe("grace");
    expect((await send(`${api.url}/api/v1/session`, { headers: { cookie: before.cookie } })).status).toBe(
      401,
    );
  });

  it("is ended only by the browser that has begun it", async () => {
    const [mine, other] = [createCookieJar(), createCookieJar()];
    const back = provider.signIn(await begin(mine));
    await expectRefused(createCookieJar(), back, 400, "sign-in-interrupted");
    await begin(other);
    await expectRefused(other, back, 400, "sign-in-interrupted");
    const changed = new URL(back);
    changed.searchParams.set("state", "another");
    await expectRefused(mine, changed, 400, "sign-in-interrupted");
    expect((await mine.visit(back.href)).status).toBe(200);
  });

  it("takes no code that belongs to another browser: PKCE", async () => {
    const [mine, other] = [createCookieJar(), createCookieJar()];
    const back = provider.signIn(await begin(mine));
    const stolen = provider.signIn(await begin(other));
    back.searchParams.set("code", stolen.searchParams.get("code") ?? "");
    await expectRefused(mine, back, 403, "sign-in-refused");
  });

  it("happens once: neither the address nor a code is taken again, also not with the cookie", async () => {
    const browser = createCookieJar();
    const address = await begin(browser);
    const kept = new Map(browser.cookies);
    const back = provider.signIn(address);
    await browser.visit(back.href);
    await expectRefused(createCookieJar(), back, 400, "sign-in-interrupted");
    const again = createCookieJar();
    for (const [name, value] of kept) again.cookies.set(name, value);
    expect(await expectRefused(again, back, 403, "sign-in-refused")).toContain("was used before");
    // A transaction whose answer was refused is over.
    expect(again.cookies.size).toBe(0);
  });

  it.each<[what: string, claims: Record<string, unknown>]>([
    ["another nonce", { nonce: "another" }],
    ["no nonce", { nonce: undefined }],
    ["another audience", { aud: "another" }],
    ["several audiences, for another party", { aud: ["synap-api", "another"], azp: "another" }],
    ["another issuer", { iss: "https://evil.example" }],
    ["an end long ago", { exp: Math.floor(Date.now() / 1_000) - 120 }],
    ["no subject", { sub: undefined }],
    ["a subject that no principal may have", { sub: "\u0000" }],
  ])("takes no ID token with %s", async (_, claims) => {
    const browser = createCookieJar();
    const back = provider.signIn(await begin(browser));
    provider.claims = { ...OPERATOR, ...claims };
    await expectRefused(browser, back, 403, "sign-in-refused");
  });

  it.each<[what: string, sign: TestProvider["sign"]]>([
    ["no algorithm", (claims) => `${inBase64({ alg: "none" })}.${inBase64(claims)}.`],
    [
      "a secret as the key",
      (claims) => {
        const signed = `${inBase64({ alg: "HS256" })}.${inBase64(claims)}`;
        return `${signed}.${createHmac("sha256", CLIENT.secret).update(signed).digest("base64url")}`;
      },
    ],
    ["a key of another issuer", async (claims) => signToken(await createIssuerKey("ES256", "k"), claims)],
    [
      "a header that names its own key",
      async (claims) => {
        const own = await createIssuerKey("ES256", "k");
        return signToken(own, claims, { jwk: own.jwk });
      },
    ],
    ["a form that is none", () => "x.y.z"],
  ])("takes no ID token with %s", async (_, sign) => {
    const browser = createCookieJar();
    const back = provider.signIn(await begin(browser));
    provider.sign = sign;
    await expectRefused(browser, back, 403, "sign-in-refused");
  });

  it("bears clocks that differ by 20 seconds", async () => {
    const now = Math.floor(Date.now() / 1_000);
    for (const off of [-20, 20]) {
      const browser = createCookieJar();
      const back = provider.signIn(await begin(browser));
      provider.claims = { ...OPERATOR, iat: now + off, nbf: now + off, exp: now + off + (off < 0 ? 5 : 60) };
      expect([off, (await browser.visit(back.href)).status]).toEqual([off, 200]);
    }
  });

  it("takes no answer that names another issuer, or none (mix-up)", async () => {
    for (const iss of ["https://evil.example", undefined]) {
      const browser = createCookieJar();
      const back = provider.signIn(await begin(browser));
      if (iss === undefined) back.searchParams.delete("iss");
      else back.searchParams.set("iss", iss);
      await expectRefused(browser, back, 403, "sign-in-refused");
    }
  });

  it("takes no answer without a code, or with two", async () => {
    for (const change of [
      (back: URL) => back.searchParams.delete("code"),
      (back: URL) => back.searchParams.append("code", "another"),
      (back: URL) => back.searchParams.append("state", "another"),
    ]) {
      const browser = createCookieJar();
      const back = provider.signIn(await begin(browser));
      change(back);
      await expectRefused(browser, back, 403, "sign-in-refused");
    }
  });

  it("shows an error of the provider as text", async () => {
    const browser = createCookieJar();
    const back = provider.signIn(await begin(browser));
    back.searchParams.delete("code");
    back.searchParams.set("error", "access_denied");
    back.searchParams.set("error_description", '<script>alert("1")</script>');
    const page = await expectRefused(browser, back, 403, "sign-in-refused");
    expect(page).toContain("access_denied: &lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;");
    expect(page).not.toContain("<script");
  });

  it("leads to no address of another server", async () => {
    for (const returnTo of [
      "//evil.example",
      "/\\evil.example",
      "https://evil.example",
      "/%2f/evil.example",
      "/a\r\nb",
    ]) {
      const refused = await send(`${api.url}/sign-in/provider?${new URLSearchParams({ returnTo })}`);
      expect([returnTo, refused.status, refused.headers.location]).toEqual([returnTo, 400, undefined]);
    }
  });

  it("takes no transaction that was changed, is of another API, or is 10 minutes old", async () => {
    const { port } = new URL(api.url);
    const browser = createCookieJar();
    const back = provider.signIn(await begin(browser));
    const sealed = browser.cookies.get(`synap_sign_in_${port}`) ?? "";
    for (const value of [`${sealed.slice(0, -2)}AA`, `A${sealed.slice(1)}`, "x", sealed.slice(40), "e30"]) {
      const forged = createCookieJar();
      forged.cookies.set(`synap_sign_in_${port}`, value);
      await expectRefused(forged, back, 400, "sign-in-interrupted");
    }
  });

  it("is answered 503 while the provider is away, and works again afterwards", async () => {
    const browser = createCookieJar();
    const back = provider.signIn(await begin(browser));
    provider.behaviour = "fail";
    const away = await browser.visit(back.href);
    expect([away.status, away.headers["retry-after"]]).toEqual([503, "1"]);
    expect(away.text).toContain("identity-unavailable");
    provider.behaviour = "answer";
    // The code was not used: the browser has its transaction still.
    expect((await browser.visit(back.href)).status).toBe(200);
    expect((await whoAmI(browser)).id).toBe("grace");
  });

  it("is in no line of the log: no code, no state and no token", async () => {
    const browser = createCookieJar();
    const back = provider.signIn(await begin(browser));
    provider.claims = { ...OPERATOR, aud: "another" };
    await browser.visit(back.href);
    const lines = logged.join("");
    expect(lines).toContain("sign-in-refused");
    for (const name of ["code", "state"]) expect(lines).not.toContain(back.searchParams.get(name));
    expect(lines).not.toMatch(/eyJ[\w-]{20}/);
  });
});

describe("an API whose provider is away", () => {
  it("starts, says so with 503 within its time limit, and signs in once the provider answers", async () => {
    const provider = await startTestProvider();
    provider.behaviour = "hang";
    const port = await freePort();
    const api = await startTestApi({
      port,
      identity: { apiKeys: true, localAccess: true, sessionSecret: SESSION_SECRET },
      provider: provider.configuration(`http://127.0.0.1:${port}/sign-in/callback`),
    });
    try {
      expect((await send(`${api.url}/healthz`)).status).toBe(200);
      const answers = await Promise.all([1, 2, 3].map(() => send(`${api.url}/sign-in/provider`)));
      expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
      // Those who wait share one request.
      expect(provider.requests).toEqual(["/.well-known/openid-configuration"]);
      Object.assign(provider, { behaviour: "answer", claims: OPERATOR });
      const browser = createCookieJar();
      const begun = await browser.visit(`${api.url}/sign-in/provider`);
      const signedIn = await browser.visit(provider.signIn(begun.headers.location ?? "").href);
      expect([signedIn.status, signedIn.text]).toEqual([200, expect.stringContaining('content="0;url=/"')]);
    } finally {
      await api.stop();
      await provider.stop();
    }
  });
});
