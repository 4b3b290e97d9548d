import { requestRaw } from "@synap/http/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";

const SHOP = "https://shop.example";
const FOREIGN = [
  "https://evil.example",
  "https://shop.example.evil.example",
  "https://evil.shop.example",
  "http://shop.example",
  "https://shop.example:8443",
  "https://SHOP.example",
  "null",
];
const bearer = { authorization: `Bearer ${TOKEN}` };
const json = { "content-type": "application/json" };
const event = JSON.stringify({
  type: "note.creation.requested",
  createdBy: "user:ada",
  source: "shop",
  data: { content: "x" },
});

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ corsOrigins: [SHOP, "http://localhost:5173"] });
});
afterAll(() => api.stop());

/** Not fetch, which sets Origin and Sec-Fetch-Site itself. */
function call(method: string, path: string, headers: Record<string, string>, body = "") {
  return requestRaw(`${api.url}${path}`, { method, headers, body });
}
const fromPage = (origin: string) => ({ origin, "sec-fetch-site": "cross-site" });
const preflight = (origin: string, method: string) =>
  call("OPTIONS", "/api/v1/events", {
    ...fromPage(origin),
    "access-control-request-method": method,
    "access-control-request-headers": "authorization,content-type",
  });

describe("a page of a listed origin", () => {
  it.each([SHOP, "http://localhost:5173"])("may send and read what its token permits: %s", async (origin) => {
    const asked = await preflight(origin, "POST");
    expect(asked).toMatchObject({
      status: 204,
      body: "",
      headers: {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE",
        "access-control-allow-headers": "*, authorization",
        vary: "origin",
      },
    });
    const posted = await call("POST", "/api/v1/events", { ...fromPage(origin), ...bearer, ...json }, event);
    expect(posted).toMatchObject({ status: 202, headers: { "access-control-allow-origin": origin } });
    const read = await call("GET", "/api/v1/events", { ...fromPage(origin), ...bearer });
    expect(read.status).toBe(200);
    expect(read.headers["access-control-expose-headers"]).toContain("etag");
    expect(read.headers["vary"]?.split(", ").toSorted()).toContain("origin");
  });

  it("needs a credential for every request, on this machine too", async () => {
    for (const [method, path, body] of [
      ["GET", "/api/v1/events", ""],
      ["POST", "/api/v1/events", event],
    ] as const) {
      const response = await call(method, path, { ...fromPage(SHOP), ...json }, body);
      expect([response.status, JSON.parse(response.body).code]).toEqual([401, "token-missing"]);
      // The page can read why.
      expect(response.headers["access-control-allow-origin"]).toBe(SHOP);
    }
    const old = await call("POST", "/api/v1/events", { origin: SHOP, ...json }, event);
    expect(old.status).toBe(401);
  });

  it("is never given what the browser keeps for the API, such as cookies", async () => {
    for (const response of [
      await preflight(SHOP, "GET"),
      await call("GET", "/healthz", fromPage(SHOP)),
      await call("GET", "/api/v1/events", fromPage(SHOP)),
    ])
      expect(response.headers["access-control-allow-credentials"]).toBeUndefined();
  });

  it("can't reach the API by a foreign host name, nor change anything with a form", async () => {
    const rebound = await call("GET", "/healthz", { ...fromPage(SHOP), host: "evil.example" });
    expect(rebound.status).toBe(403);
    const form = await call(
      "POST",
      "/api/v1/events",
      { ...fromPage(SHOP), ...bearer, "content-type": "text/plain" },
      event,
    );
    expect(form.status).toBe(415);
  });
});

describe("a page of any other origin", () => {
  it.each(FOREIGN)("may neither ask, send nor read: %s", async (origin) => {
    const asked = await preflight(origin, "POST");
    expect(asked.status).not.toBe(204);
    const posted = await call("POST", "/api/v1/events", { ...fromPage(origin), ...bearer, ...json }, event);
    expect([posted.status, JSON.parse(posted.body).code]).toEqual([403, "cross-site"]);
    const read = await call("GET", "/api/v1/events", { ...fromPage(origin), ...bearer });
    for (const { headers } of [asked, posted, read])
      expect([headers["access-control-allow-origin"], headers["vary"]]).toEqual([
        undefined,
        expect.stringContaining("origin"),
      ]);
  });

  it("is the only kind where no origin is listed", async () => {
    const closed = await startTestApi();
    try {
      const response = await requestRaw(`${closed.url}/healthz`, {
        method: "GET",
        headers: fromPage(SHOP),
        body: "",
      });
      expect([response.headers["access-control-allow-origin"], response.headers["vary"]]).toEqual([
        undefined,
        undefined,
      ]);
    } finally {
      await closed.stop();
    }
  });
});
