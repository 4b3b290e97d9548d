import type { IncomingHttpHeaders } from "node:http";
import { describe, expect, it } from "vitest";
import { createAuthentication } from "./authentication.ts";
import { LOCAL_PRINCIPAL } from "./local-access.ts";
import type { Principal } from "./principal.ts";
import { createSessionCookie } from "./session-cookie.ts";

const ADA: Principal = {
  kind: "user",
  id: "ada",
  scopes: new Set(["publish"]),
  credential: { kind: "key", id: "0123456789ab" },
};
const cookie = createSessionCookie("127.0.0.1");
const local = createAuthentication({ keys: { principalOf: () => ADA }, cookie, localAccess: true });
const remote = createAuthentication({ keys: { principalOf: () => ADA }, cookie, localAccess: false });

const head = (headers: IncomingHttpHeaders = {}, httpVersion = "1.1") => ({
  headers: { host: "127.0.0.1:3400", ...headers },
  httpVersion,
});

describe("a request without a credential", () => {
  it.each([
    ["a program of this machine", {}],
    ["by name", { host: "localhost:3400" }],
    ["by its IPv6 address", { host: "[::1]:3400" }],
    ["a page of the API itself", { "sec-fetch-site": "same-origin", origin: "http://127.0.0.1:3400" }],
    ["the address bar", { "sec-fetch-site": "none" }],
  ])("is the local principal: %s", (_, headers) => expect(local(head(headers))).toBe(LOCAL_PRINCIPAL));

  it.each([
    ["a page of another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["a page of another port", { "sec-fetch-site": "same-site", origin: "http://127.0.0.1:8080" }],
    ["a page of another origin, in an old browser", { origin: "https://evil.example" }],
    ["a page without an origin", { origin: "null" }],
    ["a domain that resolves to this machine", { host: "evil.example:3400" }],
    ["a domain that begins like this machine", { host: "127.0.0.1.evil.example" }],
    ["a proxy", { "x-forwarded-for": "203.0.113.7" }],
    ["a proxy by the standard", { forwarded: "for=203.0.113.7" }],
    ["a proxy that names the first host", { "x-forwarded-host": "events.example" }],
    ["a gateway", { via: "1.1 proxy" }],
    ["a proxy that names the scheme only", { "x-forwarded-proto": "https" }],
    ["Envoy without an address", { "x-envoy-expected-rq-timeout-ms": "15000" }],
    ["a network in front", { "cf-connecting-ip": "203.0.113.7" }],
    ["a network with a header of its own", { "true-client-ip": "203.0.113.7" }],
    ["a balancer", { "x-client-ip": "203.0.113.7" }],
  ])("is nobody: %s", (_, headers) => {
    expect(() => local(head(headers))).toThrow(
      expect.objectContaining({ code: "token-missing", status: 401 }),
    );
  });

  it("is nobody through a proxy that speaks HTTP/1.0 and hides everything else, as nginx does by default", () => {
    expect(() => local(head({}, "1.0"))).toThrow(expect.objectContaining({ code: "token-missing" }));
  });

  it("is nobody where this machine is not trusted, and reads how to identify itself", () => {
    expect(() => remote(head())).toThrow(
      expect.objectContaining({
        code: "token-missing",
        headers: { "www-authenticate": 'Bearer realm="synap"' },
      }),
    );
  });

  it("may not change events as the operator does", () => {
    for (const scope of ["admin", "backfill"] as const) expect(LOCAL_PRINCIPAL.scopes.has(scope)).toBe(false);
  });
});

describe("a credential", () => {
  it("is taken from a bearer token, whatever the case of its scheme", () => {
    for (const authorization of ["Bearer synap_x", "bearer  synap_x", "BEARER synap_x "])
      expect(remote(head({ authorization }))).toBe(ADA);
  });

  it.each([
    "",
    " ",
    "Bearer",
    "Bearer ",
    "synap_x",
    "Basic YTpi",
    "Bearer synap_x, Bearer synap_y",
    "Bearer synap_x synap_y",
    "Bearer none",
    "Bearer SYNAP_x",
    `Bearer synap_${"x".repeat(9_000)}`,
  ])("that is wrong is refused and never ignored, on this machine too: %j", (authorization) => {
    for (const authenticate of [local, remote]) {
      expect(() => authenticate(head({ authorization }))).toThrow(
        expect.objectContaining({
          code: "token-invalid",
          status: 401,
          headers: { "www-authenticate": expect.stringContaining('error="invalid_token"') },
        }),
      );
    }
  });

  it("of a kind that is not switched on is refused", () => {
    const none = createAuthentication({ cookie, localAccess: true });
    expect(() => none(head({ authorization: "Bearer synap_x" }))).toThrow(
      expect.objectContaining({ code: "token-invalid" }),
    );
  });
});
