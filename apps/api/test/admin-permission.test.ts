import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callAdmin } from "../testing/call-admin.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

/** Every admin route there is, as the OpenAPI document names them. */
async function adminRoutes(): Promise<{ method: string; path: string }[]> {
  const { paths } = JSON.parse(await (await fetch(`${api.url}/openapi.json`)).text());
  return Object.entries<Record<string, unknown>>(paths)
    .filter(([path]) => path.startsWith("/api/v1/admin/"))
    .flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => ({
        method: method.toUpperCase(),
        path: path.replace("/api/v1/admin", "").replaceAll(/\{\w+\}/g, "1"),
      })),
    );
}

describe("the admin routes", () => {
  it("are all refused without the token, each with what to do", async () => {
    const routes = await adminRoutes();
    expect(routes.length).toBeGreaterThanOrEqual(6);
    for (const { method, path } of routes) {
      const none = await callAdmin(api.url, path, { method, headers: { authorization: "" } });
      expect([method, path, none.status, none.body.code]).toEqual([method, path, 401, "token-missing"]);
      expect(none.headers.get("www-authenticate")).toBe('Bearer realm="synap admin"');
      const wrong = await callAdmin(api.url, path, { method, headers: { authorization: "Bearer wrong" } });
      expect([method, path, wrong.status, wrong.body.code]).toEqual([method, path, 403, "token-invalid"]);
      expect(wrong.body.detail).toContain("SYNAP_ADMIN_TOKEN");
    }
  });

  it("are all refused where no token is configured, whatever is sent", async () => {
    const other = await startTestApi({}, "embedded", { isOperable: false });
    try {
      for (const { method, path } of await adminRoutes()) {
        const { status, body } = await callAdmin(other.url, path, { method });
        expect([method, path, status, body.code]).toEqual([method, path, 403, "admin-disabled"]);
        expect(body.detail).toContain("SYNAP_ADMIN_TOKEN");
      }
    } finally {
      await other.stop();
    }
  });

  it("refuse a name of the actor that could not be kept", async () => {
    const response = await callAdmin(api.url, "/status", { headers: { "x-synap-actor": "n\u00e4me" } });
    expect([response.status, response.body.code]).toEqual([400, "actor-invalid"]);
  });

  it("refuse parameters that they do not know", async () => {
    const response = await callAdmin(api.url, "/dead-letters?handlr=x");
    expect([response.status, response.body.code]).toEqual([400, "parameter-unknown"]);
  });
});

describe("GET /api/v1/admin/status", () => {
  it("has everything of the public status, and a description of each handler", async () => {
    const open = JSON.parse(await (await fetch(`${api.url}/api/v1/status`)).text());
    const { status, body } = await callAdmin(api.url, "/status");
    expect(status).toBe(200);
    expect(body).toMatchObject({ ...open, handlers: expect.any(Array), databaseSize: expect.any(Number) });
    expect(open.features.admin).toBe("active");
    expect(body.handlers).toContainEqual({
      name: "note-projector",
      mode: "inline",
      description: expect.stringContaining("notes"),
      deadLetters: 0,
      parkedEvents: 0,
    });
  });
});
