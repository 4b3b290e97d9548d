import {
  createApiKey,
  createKeyToken,
  findSession,
  revokeApiKey,
  writeKeyToken,
} from "@synap/database/internal";
import { testEngines } from "@synap/database/testing";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, send } from "../testing/browser.ts";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";
import { createIssuerKey, signToken, startTestIssuer, tokensOf } from "../testing/test-issuer.ts";
import { createTestKey } from "../testing/test-keys.ts";
import { beginTestSession, SESSION_SECRET } from "../testing/test-sessions.ts";

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const SAME_ORIGIN = { "sec-fetch-site": "same-origin" };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe.each(testEngines())("a sign-in link (%s)", (engine) => {
  const logged: string[] = [];
  let api: TestApi;
  let key: string;
  beforeAll(async () => {
    const identity = { apiKeys: true, localAccess: true, sessionSecret: SESSION_SECRET };
    const logger = pino({ level: "trace" }, { write: (line: string) => void logged.push(line) });
    api = await startTestApi({ identity, corsOrigins: ["https://listed.example"] }, engine, { logger });
    key = await createTestKey(api.database, "staff", "ada", ["read", "admin"]);
  });
  afterAll(() => api.stop());

  /** Makes a link, and returns its address. */
  async function link(token = key, body: object = {}): Promise<URL> {
    const made = await send(`${api.url}/api/v1/session/links`, {
      method: "POST",
      headers: { ...bearer(token), "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect([made.status, made.text]).toEqual([201, expect.any(String)]);
    return new URL(JSON.parse(made.text).url);
  }

  /** Sends the form of the page behind a link. */
  const press = (url: URL, headers: Record<string, string> = {}, fields = url.searchParams.toString()) =>
    send(`${api.url}/sign-in`, {
      method: "POST",
      headers: { ...FORM, ...SAME_ORIGIN, ...headers },
      body: fields,
    });

  const cookieOf = ({ headers }: Answer) => headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
  const whoAmI = async (cookie: string) => send(`${api.url}/api/v1/session`, { headers: { cookie } });

  it("opens a page that can be looked at again and again, and whose button signs in as who made it", async () => {
    const url = await link();
    expect(url.origin).toBe(api.url);
    for (const method of ["GET", "HEAD", "GET"]) {
      const page = await send(url.href, { method });
      expect(page.status).toBe(200);
      expect(page.headers).toMatchObject({
        "cache-control": "no-store",
        "referrer-policy": "strict-origin",
        "x-frame-options": "DENY",
        "content-security-policy": expect.stringMatching(
          /^default-src 'none'; style-src '[^']+'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'$/,
        ),
      });
      expect(page.headers["set-cookie"]).toBeUndefined();
      if (method === "GET") expect(page.text).toContain("<strong>staff ada</strong>");
    }
    const { port } = new URL(api.url);
    const signedIn = await press(url);
    expect([signedIn.status, signedIn.headers.location]).toEqual([303, "/"]);
    expect(signedIn.headers["cache-control"]).toBe("no-store");
    expect(signedIn.headers["set-cookie"]).toEqual([
      expect.stringMatching(
        new RegExp(
          `^synap_session_${port}=[0-9a-f]{12}_[0-9a-f]{64}; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax$`,
        ),
      ),
    ]);
    const who = JSON.parse((await whoAmI(cookieOf(signedIn))).text);
    expect(who).toMatchObject({
      kind: "staff",
      id: "ada",
      scopes: ["admin", "read"],
      credential: { kind: "session" },
    });
  });

  it("works once: for one of several at the same moment, and not after signing out", async () => {
    const url = await link();
    const answers = await Promise.all(Array.from({ length: 5 }, () => press(url)));
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 403, 403, 403, 403]);
    const cookie = cookieOf(answers.find(({ status }) => status === 303) ?? answers[0] ?? (await press(url)));
    await send(`${api.url}/api/v1/session`, { method: "DELETE", headers: { cookie, ...SAME_ORIGIN } });
    expect((await whoAmI(cookie)).status).toBe(401);
    for (const again of [await press(url), await send(url.href)]) {
      expect([again.status, again.headers["set-cookie"]]).toEqual([403, undefined]);
      expect(again.headers["content-type"]).toBe("text/html; charset=utf-8");
      expect(again.text).toContain("this one was used");
    }
  });

  it("is answered with the same page whatever is wrong with it", async () => {
    const url = await link();
    const sent = url.searchParams.get("link") ?? "";
    const changed = [...Array(sent.length).keys()]
      .filter((index) => index % 9 === 0 || index > sent.length - 3)
      .map((index) => sent.slice(0, index) + (sent[index] === "0" ? "1" : "0") + sent.slice(index + 1));
    const pages = new Set<string>();
    for (const text of [...changed, `${sent}0`, sent.toUpperCase(), TOKEN, "", "x"]) {
      for (const answer of [
        await press(url, {}, new URLSearchParams({ link: text }).toString()),
        await send(`${api.url}/sign-in?${new URLSearchParams({ link: text })}`),
      ]) {
        expect([text, answer.status]).toEqual([text, 403]);
        pages.add(answer.text.replace(/request [\w-]+/, ""));
      }
    }
    expect(pages.size).toBe(1);
    expect((await press(url)).status).toBe(303);
  });

  it("stops with the key behind it, and so does its session", async () => {
    const own = createKeyToken();
    await createApiKey(api.database, own, {
      name: "own",
      kind: "staff",
      principalId: "bob",
      scopes: ["read"],
    });
    const [url, other] = [await link(writeKeyToken(own)), await link(writeKeyToken(own))];
    const cookie = cookieOf(await press(url));
    expect((await findSession(api.database, cookie.split(/[=_]/).at(-2) ?? ""))?.origin).toBe(
      `key:${own.id}`,
    );
    await revokeApiKey(api.database, own.id);
    expect((await press(other)).status).toBe(403);
    expect((await findSession(api.database, cookie.split(/[=_]/).at(-2) ?? ""))?.revokedAt).toBeDefined();
  });

  it("begins a session of a new id, and ends the one that the browser had", async () => {
    const first = cookieOf(await press(await link()));
    const second = cookieOf(await press(await link(), { cookie: first }));
    expect(second).not.toBe(first);
    expect([(await whoAmI(first)).status, (await whoAmI(second)).status]).toEqual([401, 200]);
    // What the browser brought is never continued, whoever has put it there.
    const planted = first.replace(/=.*/, `=${createKeyToken().id}_${createKeyToken().secret}`);
    const third = await press(await link(), { cookie: planted });
    expect([third.status, cookieOf(third) === planted]).toEqual([303, false]);
    expect((await whoAmI(planted)).status).toBe(401);
  });

  it("signs nobody in for a page of another origin, and the browser must say where it was pressed", async () => {
    const url = await link();
    for (const [headers, code] of [
      [{ "sec-fetch-site": "cross-site", origin: "https://evil.example" }, "cross-site"],
      [{ "sec-fetch-site": "same-site", origin: "http://127.0.0.1:1" }, "cross-site"],
      [{ "sec-fetch-site": "", origin: "https://listed.example" }, "cross-site"],
      [{ "sec-fetch-site": "none" }, "origin-missing"],
    ] as const) {
      const refused = await press(url, headers);
      expect([headers, refused.status, refused.headers["set-cookie"]]).toEqual([headers, 403, undefined]);
      expect(refused.text).toContain(code);
    }
    const silent = { method: "POST", headers: FORM, body: url.searchParams.toString() };
    expect((await send(`${api.url}/sign-in`, silent)).text).toContain("origin-missing");
    const old = { ...silent, headers: { ...FORM, origin: api.url } };
    expect((await send(`${api.url}/sign-in`, old)).status).toBe(303);
  });

  it("is taken from a form only", async () => {
    const url = await link();
    const fields = url.searchParams.toString();
    for (const type of ["application/json", "text/plain", "multipart/form-data; boundary=x"])
      expect([type, (await press(url, { "content-type": type })).status]).toEqual([type, 415]);
    for (const body of [`${fields}&${fields}`, `${fields}&more=1`])
      expect([body, (await press(url, {}, body)).status]).toEqual([body, 400]);
    expect((await press(url, {}, `${fields}&returnTo=/${"x".repeat(9_000)}`)).status).toBe(413);
    expect((await press(url)).status).toBe(303);
  });

  it("leads to a path of the API, and nowhere else", async () => {
    const url = await link(key, { returnTo: "/docs?a=b#c" });
    expect((await send(url.href)).text).toContain('name="returnTo" value="/docs?a=b#c"');
    expect((await press(url)).headers.location).toBe("/docs?a=b#c");
    const another = await link();
    for (const returnTo of [
      "//evil.example",
      "/\\evil.example",
      "\\\\evil.example",
      "/%2f%2fevil.example",
      "%2f%2fevil.example",
      "/%5cevil.example",
      "/.//evil.example",
      "https://evil.example",
      "https:evil.example",
      "javascript:alert(1)",
      "docs",
      "/docs\r\nset-cookie: a=b",
      "/docs\nx",
      "/docs\0",
      "/\t/evil.example",
      " /docs",
      "/do cs",
      "/dócs",
      "",
    ]) {
      const fields = new URLSearchParams({ link: another.searchParams.get("link") ?? "", returnTo });
      const refused = await press(another, {}, fields.toString());
      const page = await send(`${api.url}/sign-in?${fields}`);
      expect([returnTo, refused.status, page.status, refused.headers.location]).toEqual([
        returnTo,
        400,
        400,
        undefined,
      ]);
      const made = await send(`${api.url}/api/v1/session/links`, {
        method: "POST",
        headers: { ...bearer(key), "content-type": "application/json" },
        body: JSON.stringify({ returnTo }),
      });
      expect([returnTo, made.status, JSON.parse(made.text).code]).toEqual([returnTo, 400, "body-invalid"]);
    }
    expect((await press(another)).status).toBe(303);
  });

  it("shows nothing of its address as HTML", async () => {
    const url = await link(
      await createTestKey(api.database, "staff", `<img src=x onerror="a('b')">&`, ["read"]),
    );
    url.searchParams.set("returnTo", "/docs?<script>'x'");
    const { status, text: page } = await send(url.href);
    expect(status).toBe(200);
    expect(page).toContain("staff &lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;&amp;");
    expect(page).toContain('value="/docs?&lt;script&gt;&#39;x&#39;"');
    expect(page).not.toMatch(/<img|<script/);
  });

  it("is made with a key or a token of its own, and not by a session or by being on this machine", async () => {
    const { cookie } = await beginTestSession(api.database, api.url);
    for (const headers of [{ cookie, ...SAME_ORIGIN }, {}]) {
      const refused = await send(`${api.url}/api/v1/session/links`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: "{}",
      });
      expect([refused.status, JSON.parse(refused.text).code]).toEqual([403, "key-or-token-needed"]);
    }
  });

  it("is https where the cookie needs that, and http on the API's own machine", async () => {
    const madeFor = async (headers: Record<string, string>) => {
      const made = await send(`${api.url}/api/v1/session/links`, {
        method: "POST",
        headers: { ...bearer(key), "content-type": "application/json", ...headers },
      });
      return new URL(JSON.parse(made.text).url).origin;
    };
    expect(await madeFor({ host: "localhost:3400" })).toBe("http://localhost:3400");
    expect(await madeFor({ host: "localhost:3400", "x-forwarded-proto": "https" })).toBe(
      "https://localhost:3400",
    );
  });

  it("is in no line of the log and in no problem", async () => {
    const url = await link();
    const sent = url.searchParams.get("link") ?? "";
    await press(url);
    const answers = [
      await press(url),
      await send(url.href),
      await send(`${url.href}&returnTo=//evil.example`),
      await send(`${url.href}&link=${sent}`),
      await send(url.href, { method: "PUT" }),
    ];
    for (const { status, text: page } of answers) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(page).not.toContain(sent.slice(13));
    }
    expect(logged.join("")).toContain("sign-in-link-invalid");
    expect(logged.join("")).not.toMatch(/[0-9a-f]{64}/);
  });
});

it("made with a JWT, begins a session that ends with it", async () => {
  const issuerKey = await createIssuerKey("ES256", "k");
  const issuer = await startTestIssuer([issuerKey.jwk]);
  const tokens = tokensOf(issuer, { staff: { kind: "staff" } });
  const api = await startTestApi({
    identity: { apiKeys: true, localAccess: true, tokens, sessionSecret: SESSION_SECRET },
  });
  try {
    const exp = Math.floor(Date.now() / 1_000) + 300;
    const token = await signToken(issuerKey, {
      iss: issuer.url,
      aud: "synap",
      sub: "ada",
      roles: ["staff"],
      exp,
    });
    const made = await send(`${api.url}/api/v1/session/links`, {
      method: "POST",
      headers: { ...bearer(token), "content-type": "application/json" },
    });
    const { url, expiresAt } = JSON.parse(made.text);
    expect(Date.parse(expiresAt)).toBe(exp * 1_000);
    const { headers } = await send(`${api.url}/sign-in`, {
      method: "POST",
      headers: { ...FORM, ...SAME_ORIGIN },
      body: new URL(url).searchParams.toString(),
    });
    const cookie = headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
    const who = await send(`${api.url}/api/v1/session`, { headers: { cookie } });
    expect(JSON.parse(who.text)).toMatchObject({
      kind: "staff",
      id: "ada",
      expiresAt: new Date(exp * 1_000).toISOString(),
    });
  } finally {
    await api.stop();
    await issuer.stop();
  }
});

it("is neither made nor taken where the API has no secret for sessions", async () => {
  const api = await startTestApi();
  try {
    const made = await send(`${api.url}/api/v1/session/links`, {
      method: "POST",
      headers: { ...bearer(TOKEN), "content-type": "application/json" },
    });
    expect([made.status, JSON.parse(made.text).code]).toEqual([409, "sign-in-disabled"]);
    expect((await send(`${api.url}/sign-in?link=x`)).status).toBe(409);
  } finally {
    await api.stop();
  }
});
