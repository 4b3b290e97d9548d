import { DEFAULT_SCOPES, type Scope } from "@synap/types/http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callAdmin } from "../testing/call-admin.ts";
import { type ApiOperation, readOperations } from "../testing/read-operations.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";
import {
  createIssuerKey,
  type IssuerKey,
  signToken,
  startTestIssuer,
  type TestIssuer,
  tokensOf,
} from "../testing/test-issuer.ts";
import { createTestKey } from "../testing/test-keys.ts";

let api: TestApi;
let issuer: TestIssuer;
let issuerKey: IssuerKey;
beforeAll(async () => {
  issuerKey = await createIssuerKey("ES256", "k");
  issuer = await startTestIssuer([issuerKey.jwk]);
  const tokens = tokensOf(issuer, { staff: { kind: "staff", scopes: ["read-all", "metrics"] } });
  api = await startTestApi({ identity: { apiKeys: true, localAccess: true, tokens } });
});
afterAll(async () => {
  await api.stop();
  await issuer.stop();
});

const jwt = (claims: object) => signToken(issuerKey, { iss: issuer.url, aud: "synap", ...claims });

/** The scope of every operation, by its operationId. A new operation fails the test until it has its line. */
const SCOPE_OF: Readonly<Record<string, Scope | "any" | "nobody">> = {
  publishEvent: "publish",
  publishBatch: "publish",
  listEvents: "read",
  getEvent: "read",
  eventStats: "read",
  getTrace: "read",
  streamEvents: "read",
  aggregateHistory: "read",
  getEventType: "read",
  listEventTypes: "read",
  registerEventType: "register-types",
  appendToStream: "publish",
  readStream: "read",
  closeStream: "publish",
  getAggregate: "read",
  "create-reservation": "publish",
  "reschedule-reservation": "publish",
  "cancel-reservation": "publish",
  openLoops: "read",
  tasks: "read",
  reservations: "read",
  compliance: "read-all",
  auditLog: "read",
  notes: "read",
  status: "metrics",
  getSession: "any",
  endSession: "any",
  createSignInLink: "any",
  metrics: "metrics",
  health: "nobody",
  readiness: "nobody",
  openapi: "nobody",
  asyncapi: "read",
  index: "nobody",
  adminStatus: "admin",
  listDeadLetters: "admin",
  getDeadLetter: "admin",
  retryDeadLetters: "admin",
  retryDeadLetter: "admin",
  skipDeadLetter: "admin",
  listProjections: "admin",
  getProjection: "admin",
  projectionAsOf: "admin",
  pauseProjection: "admin",
  resumeProjection: "admin",
  rebuildProjection: "admin",
  compareProjection: "admin",
  cutOverProjection: "admin",
  rollbackProjection: "admin",
  dropProjectionBuild: "admin",
  listSinks: "admin",
  getSink: "admin",
  pauseSink: "admin",
  resumeSink: "admin",
  listUnprocessedEvents: "admin",
  getEventProcessing: "admin",
  changeEventProcessing: "admin",
};

/** A request that is refused for its body, if it is not refused for who sends it. */
async function call({ method, path }: ApiOperation, headers: Record<string, string>) {
  const response = await fetch(`${api.url}${path}`, {
    method,
    headers: { ...(method !== "GET" && { "content-type": "application/json" }), ...headers },
    ...(method !== "GET" && { body: "no JSON" }),
    signal: AbortSignal.timeout(60_000),
  });
  // A tail does not end by itself.
  const isOpen = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  const text = isOpen ? "" : await response.text();
  if (isOpen) await response.body?.cancel();
  const isProblem = response.headers.get("content-type") === "application/problem+json";
  return {
    status: response.status,
    challenge: response.headers.get("www-authenticate"),
    code: isProblem ? JSON.parse(text).code : undefined,
  };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe("every operation of the document", () => {
  it("has a line here, and the document names its scope", async () => {
    const found = await readOperations(api.url);
    expect(found.map(({ name }) => name).sort()).toEqual(Object.keys(SCOPE_OF).sort());
    for (const { name, security, statuses } of found) {
      const scope = SCOPE_OF[name];
      const scopes = scope === "any" ? [] : [scope];
      const expected = scope === "nobody" ? [] : [{ bearer: scopes }, { session: scopes }];
      expect([name, security]).toEqual([name, expected]);
      if (scope !== "nobody")
        expect([name, ...statuses]).toEqual(expect.arrayContaining(["401", "403", "503"]));
    }
  });

  it("is refused to nobody and to a wrong token with 401, unless it is open, and says how to identify oneself", async () => {
    for (const operation of await readOperations(api.url)) {
      const isOpen = SCOPE_OF[operation.name] === "nobody";
      // What a proxy forwards is nobody's.
      const nobody = await call(operation, { "x-forwarded-for": "203.0.113.7" });
      const unknown = await call(operation, bearer(`synap_${"0".repeat(12)}_${"0".repeat(64)}`));
      const foreign = await call(operation, bearer(await jwt({ aud: "other" })));
      if (isOpen) {
        const statuses = [nobody, unknown, foreign].map(({ status }) => status);
        expect([operation.name, ...statuses]).toEqual([operation.name, 200, 200, 200]);
        continue;
      }
      expect([operation.name, nobody]).toEqual([
        operation.name,
        { status: 401, code: "token-missing", challenge: 'Bearer realm="synap"' },
      ]);
      const invalid = {
        status: 401,
        code: "token-invalid",
        challenge: 'Bearer realm="synap", error="invalid_token"',
      };
      expect([operation.name, unknown, foreign]).toEqual([operation.name, invalid, invalid]);
    }
  });

  it("is permitted to those with its scope, and refused to all others with 403", async () => {
    const { database } = api;
    const principals = [
      ["user", DEFAULT_SCOPES.user, await createTestKey(database, "user", "ada")],
      ["agent", DEFAULT_SCOPES.agent, await createTestKey(database, "agent", "planner")],
      ["machine", ["metrics"], await createTestKey(database, "machine", "scraper", ["metrics"])],
      ["machine without scopes", [], await createTestKey(database, "machine", "idle", [])],
      ["staff", DEFAULT_SCOPES.staff, await createTestKey(database, "staff", "grace")],
      ["operator", ["admin"], await createTestKey(database, "staff", "ops", ["admin"])],
      ["user by JWT", DEFAULT_SCOPES.user, await jwt({ sub: "ada" })],
      ["staff by JWT", ["read-all", "metrics"], await jwt({ sub: "grace", roles: ["staff"] })],
    ] as const;
    for (const [who, scopes, token] of principals) {
      const has = new Set<string>(scopes);
      for (const operation of await readOperations(api.url)) {
        const scope = SCOPE_OF[operation.name] ?? "nobody";
        const { status, code, challenge } = await call(operation, bearer(token));
        if (scope === "nobody" || scope === "any" || has.has(scope)) {
          expect([who, operation.name, code]).not.toEqual([who, operation.name, "scope-missing"]);
          expect([who, operation.name, [401, 403, 500].includes(status)]).toEqual([
            who,
            operation.name,
            false,
          ]);
          continue;
        }
        expect([who, operation.name, status, code, challenge]).toEqual([
          who,
          operation.name,
          403,
          "scope-missing",
          `Bearer realm="synap", error="insufficient_scope", scope="${scope}"`,
        ]);
      }
    }
  });
});

describe("the actor of an admin action", () => {
  it("is the principal, or the one that a principal who may act for others names", async () => {
    const refused = await createTestKey(api.database, "staff", "ops", ["admin"]);
    const named = { "x-synap-actor": "Ada Lovelace" };
    expect(
      (await callAdmin(api.url, "/status", { headers: { ...bearer(refused), ...named } })).body,
    ).toMatchObject({
      status: 403,
      code: "scope-missing",
      scope: "act-for-others",
    });
    expect((await callAdmin(api.url, "/status", { headers: bearer(refused) })).status).toBe(200);
    expect((await callAdmin(api.url, "/status", { headers: named })).status).toBe(200);
    const unusable = await callAdmin(api.url, "/status", { headers: { "x-synap-actor": "n\u00e4me" } });
    expect([unusable.status, unusable.body.code]).toEqual([400, "actor-invalid"]);
  });
});

describe("GET /api/v1/admin/status", () => {
  it("has everything of the status, and a description of each handler", async () => {
    const open = JSON.parse(await (await fetch(`${api.url}/api/v1/status`)).text());
    const { status, body } = await callAdmin(api.url, "/status");
    expect(status).toBe(200);
    expect(body).toMatchObject({ ...open, handlers: expect.any(Array), databaseSize: expect.any(Number) });
    expect(open.features).toMatchObject({ "api-keys": "active", "local-access": "active" });
    expect(body.handlers).toContainEqual({
      name: "note-creation-reactor",
      mode: "async",
      description: expect.stringContaining("note"),
      deadLetters: 0,
      parkedEvents: 0,
    });
  });

  it("refuses parameters that it does not know", async () => {
    const response = await callAdmin(api.url, "/dead-letters?handlr=x");
    expect([response.status, response.body.code]).toEqual([400, "parameter-unknown"]);
  });
});
