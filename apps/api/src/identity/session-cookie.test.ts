import type { IncomingHttpHeaders } from "node:http";
import { describe, expect, it } from "vitest";
import { createSessionCookie } from "./session-cookie.ts";

const head = (headers: IncomingHttpHeaders, httpVersion = "1.1") => ({ headers, httpVersion });
const local = createSessionCookie("127.0.0.1");
const SECURE = "__Host-synap_session=v; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure";

describe("the cookie of a session", () => {
  it.each([
    ["127.0.0.1:3400", "synap_session_3400"],
    ["localhost:3401", "synap_session_3401"],
    ["[::1]:3400", "synap_session_3400"],
    ["localhost", "synap_session"],
  ])("needs no https where a browser of this machine talks to it itself: %s", (host, name) => {
    expect(local(head({ host })).set("v", 60)).toBe(`${name}=v; Max-Age=60; Path=/; HttpOnly; SameSite=Lax`);
    expect(local(head({ host, cookie: `a=b; ${name}=v; c=d` })).value).toBe("v");
  });

  it.each([
    ["another host", { host: "events.example" }, "1.1"],
    ["a host that begins like this machine", { host: "127.0.0.1.evil.example" }, "1.1"],
    ["a proxy of this machine", { host: "127.0.0.1:3400", "x-forwarded-proto": "https" }, "1.1"],
    ["a proxy that says nothing about https", { host: "localhost", "x-forwarded-for": "203.0.113.7" }, "1.1"],
    ["a proxy that speaks HTTP/1.0", { host: "127.0.0.1:3400" }, "1.0"],
    ["no host", {}, "1.1"],
  ])("is for https only otherwise, and of no other host: %s", (_, headers, version) => {
    expect(local(head(headers, version)).set("v", 60)).toBe(SECURE);
    const both = "synap_session_3400=p; synap_session=q; __Host-synap_session=v";
    expect(local(head({ ...headers, cookie: both }, version)).value).toBe("v");
    expect(local(head({ ...headers, cookie: "synap_session_3400=p" }, version)).value).toBeUndefined();
  });

  it("is for https only on an address that others reach, whatever host is named", () => {
    const open = createSessionCookie("0.0.0.0");
    expect(open(head({ host: "127.0.0.1:3400" })).set("v", 60)).toBe(SECURE);
    expect(open(head({ host: "localhost" })).clear()).toBe(
      "__Host-synap_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure",
    );
  });

  it("counts as none of the others, and as no value where there are several", () => {
    const read = (cookie: string) => local(head({ host: "localhost", cookie })).value;
    expect(read("xsynap_session=a; synap_session_1=b; synap_sessions=c")).toBeUndefined();
    expect(read("synap_session=a=b")).toBe("a=b");
    expect(read("synap_session=a; synap_session=a")).toBe("");
    expect(read("synap_session")).toBe("");
  });
});
