import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { createKeyToken, endSession, findSession } from "@synap/database/internal";
import { testEngines } from "@synap/database/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readFrames } from "../testing/read-frames.ts";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";
import { beginTestSession, SESSION_SECRET, type TestSession } from "../testing/test-sessions.ts";

const clock = { now: 0 };
const SAME_ORIGIN = { "sec-fetch-site": "same-origin" };
const NOTE = { type: "note.creation.requested", data: { content: "by a session" } };

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly setCookie: string | undefined;
  readonly body: Record<string, unknown>;
}

/** Sends a request as it is: `fetch` sets some headers of browsers itself. */
async function send(
  api: TestApi,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: object,
): Promise<Answer> {
  const json = body !== undefined && { "content-type": "application/json" };
  const sent = request(`${api.url}/api/v1${path}`, { method, headers: { ...json, ...headers } });
  sent.end(body && JSON.stringify(body));
  const [response]: IncomingMessage[] = await once(sent, "response");
  if (response === undefined) throw new Error("no response");
  const parsed = JSON.parse(await text(response));
  const [setCookie] = response.headers["set-cookie"] ?? [];
  return { status: response.statusCode ?? 0, code: parsed.code, setCookie, body: parsed };
}

describe.each(testEngines())("a session (%s)", (engine) => {
  let api: TestApi;
  let session: TestSession;
  beforeAll(async () => {
    const identity = { apiKeys: true, localAccess: true, sessionSecret: SESSION_SECRET };
    api = await startTestApi({ identity }, engine, { clock: () => clock.now, credentialCheckMs: 20 });
  });
  beforeEach(async () => {
    session = await beginTestSession(api.database, api.url);
  });
  afterAll(() => api.stop());

  const whoAmI = (headers: Record<string, string>) => send(api, "GET", "/session", headers);
  const publish = (headers: Record<string, string>) => send(api, "POST", "/events", headers, NOTE);
  const signOut = (headers: Record<string, string>) => send(api, "DELETE", "/session", headers);
  const nameOf = ({ cookie }: TestSession) => cookie.split("=")[0];

  it("identifies its holder, until it ends", async () => {
    const { status, body } = await whoAmI({ cookie: `other=1; ${session.cookie}; more=2` });
    const stored = await findSession(api.database, session.id);
    expect([status, body]).toEqual([
      200,
      {
        kind: "staff",
        id: "grace",
        scopes: ["publish", "read"],
        credential: { kind: "session", id: session.id },
        expiresAt: stored?.endsAt,
      },
    ]);
  });

  it("is one way to be known: a key and being from this machine are others", async () => {
    expect((await whoAmI({ authorization: `Bearer ${TOKEN}` })).body).toMatchObject({
      kind: "machine",
      id: "tests",
      credential: { kind: "key" },
    });
    const { body } = await whoAmI({});
    expect(body).toMatchObject({ kind: "staff", id: "local", credential: { kind: "local", id: "local" } });
    expect(body).not.toHaveProperty("expiresAt");
  });

  it("has its own scopes, and no other", async () => {
    const refused = await send(api, "GET", "/admin/status", { cookie: session.cookie });
    expect([refused.status, refused.code, refused.body["scope"]]).toEqual([403, "scope-missing", "admin"]);
  });

  it("gives way to a token, right or wrong", async () => {
    const { cookie } = session;
    expect((await whoAmI({ cookie, authorization: `Bearer ${TOKEN}` })).body).toMatchObject({ id: "tests" });
    const wrong = await whoAmI({ cookie, authorization: `Bearer ${TOKEN}0` });
    expect([wrong.status, wrong.code, wrong.setCookie]).toEqual([401, "token-invalid", undefined]);
  });

  it("that is wrong is refused, never ignored, and its cookie is removed", async () => {
    const name = nameOf(session);
    const cookies = [
      `${name}=`,
      `${name}=x`,
      `${name}=${session.id}_${createKeyToken().secret}`,
      `${name}=${createKeyToken().id}_${session.secret}`,
      `${name}=${TOKEN}`,
      // Of two cookies of one name, another host or path may have set the first.
      `${session.cookie}; ${session.cookie}`,
    ];
    for (const cookie of cookies) {
      const { status, code, setCookie } = await whoAmI({ cookie });
      expect([cookie, status, code]).toEqual([cookie, 401, "session-ended"]);
      expect(setCookie).toBe(`${name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax`);
    }
    expect((await whoAmI({ cookie: session.cookie })).status).toBe(200);
  });

  it("is refused that the API has not sealed, whatever the database says", async () => {
    const forged = await beginTestSession(
      api.database,
      api.url,
      { scopes: ["admin"] },
      "another secret of 32 characters",
    );
    expect((await whoAmI({ cookie: forged.cookie })).code).toBe("session-ended");
    await api.database.asOwner((owner) =>
      owner.query("UPDATE synap.sessions SET scopes = 'admin' WHERE id = $1", [session.id]),
    );
    expect((await whoAmI({ cookie: session.cookie })).code).toBe("session-ended");
  });

  it("ends at its moment, or after hours without use", async () => {
    const past = await beginTestSession(api.database, api.url, { endsBefore: Date.now() - 1 });
    expect((await whoAmI({ cookie: past.cookie })).body).toMatchObject({
      status: 401,
      detail: expect.stringContaining("has expired"),
    });
    await api.database.query(
      "UPDATE synap.sessions SET idle_ends_at = clock_timestamp() - interval '1 second' WHERE id = $1",
      [session.id],
    );
    expect((await whoAmI({ cookie: session.cookie })).body).toMatchObject({
      status: 401,
      detail: expect.stringContaining("not used for hours"),
    });
  });

  it("changes something only from a page of the API itself, and the browser must say so", async () => {
    const { cookie } = session;
    const own = api.url;
    for (const headers of [SAME_ORIGIN, { origin: own }, { ...SAME_ORIGIN, origin: "null" }])
      expect([headers, (await publish({ cookie, ...headers })).status]).toEqual([headers, 202]);
    for (const [headers, code] of [
      [{}, "origin-missing"],
      [{ "sec-fetch-site": "none" }, "origin-missing"],
      [{ "sec-fetch-site": "same-site", origin: "http://127.0.0.1:1" }, "cross-site"],
      [{ "sec-fetch-site": "cross-site", origin: "https://evil.example" }, "cross-site"],
      [{ origin: "https://evil.example" }, "cross-site"],
      [{ origin: `${own}.evil.example` }, "cross-site"],
      [{ origin: "null" }, "cross-site"],
      [{ referer: `${own}/docs` }, "origin-missing"],
    ] as const) {
      const refused = await publish({ cookie, ...headers });
      expect([headers, refused.status, refused.code]).toEqual([headers, 403, code]);
      const stays = await signOut({ cookie, ...headers });
      expect([headers, stays.status, stays.code]).toEqual([headers, 403, code]);
    }
  });

  it("is read with by no page of another origin, but by the address bar", async () => {
    const { cookie } = session;
    expect((await whoAmI({ cookie, "sec-fetch-site": "none" })).status).toBe(200);
    for (const headers of [{ "sec-fetch-site": "cross-site" }, { origin: "https://evil.example" }]) {
      const refused = await whoAmI({ cookie, ...headers });
      expect([refused.status, refused.code]).toEqual([403, "cross-site"]);
    }
  });

  it("is over when its holder signs out, at once, and a copied cookie is worth nothing", async () => {
    const { cookie } = session;
    expect((await whoAmI({ cookie })).status).toBe(200);
    const out = await signOut({ cookie, ...SAME_ORIGIN });
    expect([out.status, out.body]).toEqual([200, { ended: session.id }]);
    expect(out.setCookie).toBe(`${nameOf(session)}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax`);
    const replayed = await whoAmI({ cookie });
    expect([replayed.status, replayed.code]).toEqual([401, "session-ended"]);
    expect((await signOut({ cookie, ...SAME_ORIGIN })).code).toBe("session-ended");
  });

  it("is nothing that a key or this machine could sign out of", async () => {
    for (const headers of [{ authorization: `Bearer ${TOKEN}` }, SAME_ORIGIN]) {
      const { status, code } = await signOut(headers);
      expect([status, code]).toEqual([409, "session-missing"]);
    }
  });

  it("that another process ended stops within 30 s, and a live tail with it", async () => {
    const begun = clock.now;
    const tail = await fetch(`${api.url}/api/v1/events/stream`, { headers: { cookie: session.cookie } });
    let timer: ReturnType<typeof setInterval> | undefined;
    let last: unknown;
    let frames = 0;
    for await (const frame of readFrames(tail)) {
      last = frame;
      frames += 1;
      if (frames > 1) continue;
      await endSession(api.database, session.id);
      // A second of the clock for some checks: slower than any check is in production, and too fast for a slow database.
      timer = setInterval(() => {
        clock.now = Math.min(clock.now + 1_000, begun + 29_000);
      }, 100);
    }
    clearInterval(timer);
    expect(last).toMatchObject({ event: "problem", data: { status: 401, code: "credential-ended" } });
    expect(clock.now - begun).toBeLessThan(30_000);
    expect((await whoAmI({ cookie: session.cookie })).status).toBe(401);
  });
});

it("is refused where the API has no secret for sessions", async () => {
  const api = await startTestApi();
  try {
    const { cookie } = await beginTestSession(api.database, api.url);
    expect(await send(api, "GET", "/session", { cookie })).toMatchObject({
      status: 401,
      code: "session-ended",
    });
  } finally {
    await api.stop();
  }
});
