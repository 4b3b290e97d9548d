import { afterAll, beforeAll, expect, it } from "vitest";
import { createCookieJar } from "../testing/browser.ts";
import { freePort } from "../testing/free-port.ts";
import { startRealProvider } from "../testing/real-provider.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";
import { SESSION_SECRET } from "../testing/test-sessions.ts";

let provider: Awaited<ReturnType<typeof startRealProvider>>;
let api: TestApi;
beforeAll(async () => {
  const port = await freePort();
  const redirectUri = `http://127.0.0.1:${port}/sign-in/callback`;
  provider = await startRealProvider(redirectUri);
  api = await startTestApi({
    port,
    identity: { apiKeys: true, localAccess: true, sessionSecret: SESSION_SECRET },
    provider: {
      issuer: provider.url,
      clientId: provider.clientId,
      clientSecret: provider.clientSecret,
      redirectUri,
      scope: "openid",
      rolesClaim: "roles",
      roles: { operator: { kind: "staff", scopes: ["read", "admin"] } },
    },
  });
});
afterAll(async () => {
  await api.stop();
  await provider.stop();
});

/** Answers the pages of the provider, until it sends the browser back. */
async function signInThere(address: string, browser: ReturnType<typeof createCookieJar>): Promise<string> {
  let next = address;
  for (const step of ["login=grace&password=any&prompt=login", "prompt=consent"]) {
    let page = await browser.visit(next);
    while (page.status === 303) {
      next = new URL(page.headers.location ?? "", next).href;
      if (next.startsWith(api.url)) return next;
      page = await browser.visit(next);
    }
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const sent = await browser.visit(next, { method: "POST", headers, body: step });
    next = new URL(sent.headers.location ?? "", next).href;
  }
  const last = await browser.visit(next);
  return last.headers.location ?? "";
}

it("a person signs in at a certified provider; neither the address nor the code is worth anything afterwards", async () => {
  const browser = createCookieJar();
  const begun = await browser.visit(`${api.url}/sign-in/provider?returnTo=/docs`);
  const kept = new Map(browser.cookies);
  const back = await signInThere(begun.headers.location ?? "", createCookieJar());
  expect(back).toMatch(new RegExp(`^${api.url}/sign-in/callback\\?code=[^&]+&state=[^&]+&iss=`));

  const signedIn = await browser.visit(back);
  expect([signedIn.status, signedIn.text]).toEqual([200, expect.stringContaining("url=/docs")]);
  const who = JSON.parse((await browser.visit(`${api.url}/api/v1/session`)).text);
  expect(who).toMatchObject({ kind: "staff", id: "grace", scopes: ["admin", "read"] });

  const replaying = createCookieJar();
  for (const [name, value] of kept) replaying.cookies.set(name, value);
  const replayed = await replaying.visit(back);
  expect([replayed.status, replayed.text]).toEqual([403, expect.stringContaining("was used before")]);
});
