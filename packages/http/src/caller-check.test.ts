import { describe, expect, it } from "vitest";
import { createCallerCheck, type RequestHead, readAllowedHosts } from "./caller-check.ts";

const local = createCallerCheck({ listensOn: "127.0.0.1" });
const post = (headers: RequestHead["headers"]): RequestHead => ({
  method: "POST",
  headers: { host: "127.0.0.1:3400", ...headers },
});

describe("a server on a loopback address", () => {
  it.each([
    "127.0.0.1:3400",
    "localhost:3400",
    "LOCALHOST",
    "localhost.",
    "[::1]:3400",
    "127.9.9.9",
    "synap.localhost:1",
  ])("takes requests for %s", (host) => expect(local({ method: "GET", headers: { host } })).toBeUndefined());

  it.each([
    "evil.example",
    "evil.example:3400",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "",
    "10.0.0.1:3400",
    "[::2]:3400",
    "127.0.0.1@evil.example",
  ])("refuses requests for %j, read or write", (host) => {
    for (const method of ["GET", "POST"])
      expect(local({ method, headers: { host } })).toMatchObject({ code: "host-not-allowed" });
  });

  it("accepts configured host names, and any with *", () => {
    const allowing = (text: string) =>
      createCallerCheck({ listensOn: "127.0.0.1", allowedHosts: readAllowedHosts(text) });
    const named = allowing("events.example, API.internal");
    for (const host of ["events.example", "api.internal:8080", "localhost"])
      expect(named({ method: "GET", headers: { host } }), host).toBeUndefined();
    expect(named({ method: "GET", headers: { host: "other.example" } })).toMatchObject({
      code: "host-not-allowed",
    });
    expect(allowing("*")({ method: "GET", headers: { host: "other.example" } })).toBeUndefined();
  });
});

describe("a server on another address", () => {
  it("accepts any host, unless hosts are configured", () => {
    const request = { method: "GET", headers: { host: "events.example" } };
    expect(createCallerCheck({ listensOn: "0.0.0.0" })(request)).toBeUndefined();
    const named = createCallerCheck({ listensOn: "0.0.0.0", allowedHosts: ["other.example"] });
    expect(named(request)).toMatchObject({ code: "host-not-allowed" });
    for (const host of ["127.0.0.1:3400", "10.1.2.3:3400", "[fd00::7]:3400", "0.0.0.0"])
      expect(named({ method: "GET", headers: { host } }), host).toBeUndefined();
  });
});

describe("a request that may change something", () => {
  it("is taken from a page of a listed origin, and of no other", () => {
    const check = createCallerCheck({ listensOn: "127.0.0.1", allowedOrigins: ["https://shop.example"] });
    for (const more of [{}, { "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }]) {
      expect(check(post({ ...more, origin: "https://shop.example" }))).toBeUndefined();
      for (const origin of ["https://shop.example.evil.example", "http://shop.example", "null"])
        expect(check(post({ ...more, origin }))).toMatchObject({ code: "cross-site" });
    }
    expect(check(post({ "sec-fetch-site": "cross-site" }))).toMatchObject({ code: "cross-site" });
  });

  it.each([
    ["no browser", {}],
    ["a page of the server itself", { "sec-fetch-site": "same-origin", origin: "http://127.0.0.1:3400" }],
    ["the address bar", { "sec-fetch-site": "none" }],
    [
      "a page behind a proxy that rewrites Host",
      { "sec-fetch-site": "same-origin", origin: "https://events.example" },
    ],
    ["a page of the server itself, in an old browser", { origin: "http://127.0.0.1:3400" }],
  ])("is taken from %s", (_, headers) => expect(local(post(headers))).toBeUndefined());

  it.each([
    ["a page of another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["another port of this machine", { "sec-fetch-site": "same-site", origin: "http://127.0.0.1:8080" }],
    ["a page of another site, in an old browser", { origin: "https://evil.example" }],
    ["a page without an origin", { origin: "null" }],
    ["another port of this machine, in an old browser", { origin: "http://127.0.0.1:8080" }],
  ])("is refused from %s, while a read is taken", (_, headers) => {
    const request = post(headers);
    for (const method of ["POST", "PUT", "DELETE", "PATCH"])
      expect(local({ ...request, method })).toMatchObject({ code: "cross-site" });
    expect(local({ ...request, method: "GET" })).toBeUndefined();
  });
});
