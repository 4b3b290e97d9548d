import { pageHeaders, SECURITY_HEADERS } from "@synap/http";
import { requestRaw } from "@synap/http/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

/** Not fetch, which sets Host and Sec-Fetch-Site itself. */
function call(method: string, path: string, headers: Record<string, string> = {}, body = "") {
  return requestRaw(`${api.url}${path}`, { method, headers, body });
}

/** Every operation of the API's own document, with a value for each part of its path. */
async function operations(): Promise<{ method: string; path: string }[]> {
  const document = JSON.parse((await call("GET", "/openapi.json")).body);
  return Object.entries<Record<string, unknown>>(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({
      method: method.toUpperCase(),
      path: path.replaceAll(/\{\w+\}/g, "a1"),
    })),
  );
}

const FORM_TYPES = [
  undefined,
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
];

describe("a page in somebody's browser", () => {
  it("cannot change anything with a form, on any route", async () => {
    // A form sends GET and POST only; PUT is held to the same. DELETE has no body, and no page of another site can send it.
    const changing = (await operations()).filter(({ method }) => method === "POST" || method === "PUT");
    expect(changing.length).toBeGreaterThan(10);
    for (const { method, path } of changing) {
      for (const type of FORM_TYPES) {
        const headers = {
          authorization: `Bearer ${TOKEN}`,
          ...(type !== undefined && { "content-type": type }),
        };
        const response = await call(method, path, headers, type === undefined ? "" : '{"a":1}');
        expect([method, path, type, response.status, response.body]).toEqual([
          method,
          path,
          type,
          415,
          expect.stringContaining('"unsupported-media-type"'),
        ]);
      }
    }
  });

  it("cannot change anything from another site, whatever it sends", async () => {
    const json = { "content-type": "application/json" };
    for (const { method, path } of await operations()) {
      if (method === "GET") continue;
      const response = await call(
        method,
        path,
        { ...json, "sec-fetch-site": "cross-site", origin: "https://evil.example" },
        "{}",
      );
      expect([path, response.status, response.body]).toEqual([
        path,
        403,
        expect.stringContaining('"cross-site"'),
      ]);
      const old = await call(method, path, { ...json, origin: "https://evil.example" }, "{}");
      expect([path, old.status]).toEqual([path, 403]);
    }
  });

  it("reaches nothing by a name that resolves to this machine", async () => {
    for (const { method, path } of await operations()) {
      const response = await call(
        method,
        path,
        { host: "evil.example:3400", "content-type": "application/json" },
        "{}",
      );
      expect([path, response.status, response.body]).toEqual([
        path,
        403,
        expect.stringContaining('"host-not-allowed"'),
      ]);
    }
    const { port } = new URL(api.url);
    expect((await call("GET", "/healthz", { host: `localhost:${port}` })).status).toBe(200);
  });
});

describe("every response", () => {
  it("carries the security headers, on every route and where no route was reached", async () => {
    const requests: [string, string, Record<string, string>][] = [
      ...(await operations()).map(({ method, path }): [string, string, Record<string, string>] => [
        // Its body has no end.
        path === "/api/v1/events/stream" ? "HEAD" : method,
        path,
        { "content-type": "application/json" },
      ]),
      ["GET", "/nowhere", {}],
      ["DELETE", "/api/v1/events", {}],
      ["HEAD", "/api/v1/status", {}],
      ["GET", "/healthz", { host: "evil.example" }],
      ["GET", "/healthz", { expect: "nothing" }],
    ];
    for (const [method, path, headers] of requests) {
      const response = await call(method, path, headers);
      expect([method, path, response.headers]).toEqual([
        method,
        path,
        expect.objectContaining({ ...SECURITY_HEADERS, "cache-control": "no-store" }),
      ]);
    }
  });

  it("as a page applies its own style and nothing else", async () => {
    const { headers, body } = await call("GET", "/", { accept: "text/html" });
    const [, style = ""] = /<style>(.*)<\/style>/s.exec(body) ?? [];
    expect(style).not.toBe("");
    expect(headers).toMatchObject(pageHeaders([style]));
    expect(headers["content-security-policy"]).toMatch(
      /default-src 'none'.*style-src 'sha256-.*frame-ancestors 'none'/,
    );
  });
});
