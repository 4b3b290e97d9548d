import type { LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";
import { describe, expect, it } from "vitest";
import { contains, isPublicAddress, readRange } from "../src/sinks/public-address.ts";
import { WebhookAddressError } from "../src/sinks/webhook-errors.ts";
import { type Resolver, type WebhookNetwork, webhookTarget } from "../src/sinks/webhook-target.ts";

const notPublic = {
  unspecified: ["0.0.0.0", "0.1.2.3", "::"],
  loopback: ["127.0.0.1", "127.255.255.254", "::1"],
  private: ["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255"],
  "carrier-grade NAT": ["100.64.0.1", "100.127.255.255"],
  "link-local, where clouds have their metadata": [
    "169.254.169.254",
    "169.254.0.1",
    "fe80::1",
    "febf::1",
    "fe80::1%eth0",
  ],
  "unique local": ["fc00::1", "fd00:ec2::254", "fdff:ffff::1"],
  "site-local": ["fec0::1"],
  multicast: ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
  reserved: ["240.0.0.1", "255.255.255.255", "192.0.0.1", "198.18.0.1", "198.19.255.255"],
  "for documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
  "IPv4 in IPv6": ["::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:8.8.8.8", "::127.0.0.1", "::8.8.8.8"],
  NAT64: ["64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b:1::1"],
  "6to4": ["2002:7f00:1::1", "2002:a00:1::", "192.88.99.1"],
  Teredo: ["2001::1", "2001:0:7f00:1::"],
  "not given out": ["4000::1", "5f00::1", "100::1", "e000::1"],
  "no address": ["", "localhost", "127.1", "0x7f000001", "2130706433", "1.2.3.4.5", "8.8.8.8/32", "12345::1"],
};
const onTheInternet = [
  "8.8.8.8",
  "1.1.1.1",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.1",
  "169.253.255.255",
  "169.255.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "192.167.255.255",
  "192.169.0.0",
  "198.17.255.255",
  "198.20.0.0",
  "223.255.255.255",
  "2606:4700:4700::1111",
  "2001:4860:4860::8888",
  "2a00:1450:4001:81b::200e",
  "3ffe:ffff::1",
];

describe("an address", () => {
  it.each(Object.entries(notPublic))("that is %s is not public", (_, addresses) => {
    for (const address of addresses) expect(isPublicAddress(address), address).toBe(false);
  });

  it.each(onTheInternet)("of the internet is public: %s", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it("is in a range from the first to the last address of it", () => {
    const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
      [
        "10.1.0.0/16",
        ["10.1.0.0", "10.1.255.255"],
        ["10.0.255.255", "10.2.0.0", "::ffff:10.1.0.1", "::a01:0"],
      ],
      ["10.1.2.3/16", ["10.1.0.0"], ["10.2.0.0"]],
      ["127.0.0.1", ["127.0.0.1"], ["127.0.0.2", "::1"]],
      ["0.0.0.0/0", ["127.0.0.1", "255.255.255.255"], ["::1"]],
      ["fd00:1::/32", ["fd00:1::", "fd00:1:ffff:ffff:ffff:ffff:ffff:ffff"], ["fd00:2::", "fd00:0:ffff::"]],
      ["::ffff:10.0.0.0/104", ["::ffff:10.1.2.3", "::ffff:a01:203"], ["10.1.2.3", "::ffff:11.0.0.0"]],
    ];
    for (const [text, inside, outside] of cases) {
      const range = readRange(text);
      const has = (address: string) => range !== undefined && contains(range, address);
      for (const address of inside) expect(has(address), `${address} in ${text}`).toBe(true);
      for (const address of outside) expect(has(address), `${address} not in ${text}`).toBe(false);
    }
    for (const text of [
      "10.0.0.0/33",
      "10.0.0.0/-1",
      "10.0.0.0/",
      "10.0.0.0/8/8",
      "::/129",
      "fe80::1%eth0",
      "here",
    ])
      expect(readRange(text), text).toBeUndefined();
  });
});

describe("the URL of a webhook", () => {
  const target = (url: string, network: WebhookNetwork = {}) => webhookTarget("partner", url, network);

  it.each([
    ["http://example.org/", {}],
    ["ftp://example.org/", { http: true }],
    ["file:///etc/passwd", { http: true }],
    ["example.org", {}],
    ["https://user@example.org/", {}],
    ["https://:word@example.org/", {}],
    ["https://example.org:8443/", {}],
    ["http://example.org:22/", { http: true }],
    ["https://127.0.0.1/", {}],
    ["https://127.1/", {}],
    ["https://2130706433/", {}],
    ["https://0x7f.0.0.1/", {}],
    ["https://0177.0.0.1/", {}],
    ["https://[::1]/", {}],
    ["https://[::ffff:127.0.0.1]/", {}],
    ["https://[64:ff9b::a00:1]/", {}],
    ["https://169.254.169.254/latest/meta-data", {}],
    ["https://10.2.0.1/", { allow: ["10.1.0.0/16"] }],
  ] satisfies [string, WebhookNetwork][])("is refused: %s", (url, network) => {
    expect(() => target(url, network)).toThrow(WebhookAddressError);
  });

  it.each([
    ["https://example.org/hooks?key=1", {}],
    ["https://8.8.8.8/", {}],
    ["http://example.org/", { http: true }],
    ["https://example.org:8443/", { ports: [8443] }],
    ["https://10.1.2.3/", { allow: ["10.1.0.0/16"] }],
    ["http://127.0.0.1:8080/", { allow: ["127.0.0.1"], http: true, ports: [8080] }],
    ["https://[fd00::5]/", { allow: ["fd00::/8"] }],
  ] satisfies [string, WebhookNetwork][])("is taken: %s", (url, network) => {
    expect(target(url, network).url.href).toBe(new URL(url).href);
  });

  it("is not in the message, because its path may be a secret", () => {
    expect(() => target("https://10.0.0.1/secret?key=secret")).toThrow(/^(?!.*secret).*10\.0\.0\.1/);
    expect(() => target("https://ada:secret@example.org/")).toThrow(/^(?!.*secret)/);
  });

  it("needs network.allow to be names, addresses and ranges", () => {
    for (const entry of ["10.0.0.0/99", "https://example.org", "*.example.org", ""])
      expect(() => target("https://example.org/", { allow: [entry] }), entry).toThrow(RangeError);
  });
});

describe("the name of a webhook's receiver", () => {
  const answers =
    (...addresses: readonly string[]): Resolver =>
    (_name, _options, answer) =>
      answer(
        null,
        addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
      );
  const find = (lookup: LookupFunction, options: Parameters<LookupFunction>[1] = { all: true }) =>
    new Promise<string | LookupAddress[]>((resolve, reject) => {
      lookup("hooks.example.org", options, (error, found) =>
        error === null ? resolve(found) : reject(error),
      );
    });
  const lookup = (resolver: Resolver, network: WebhookNetwork = {}) =>
    webhookTarget("partner", "https://hooks.example.org/", network, resolver).lookup;

  it("stands for its addresses, of which the connection gets exactly the checked ones", async () => {
    const both = lookup(answers("8.8.8.8", "2606:4700::1"));
    expect(await find(both)).toEqual([
      { address: "8.8.8.8", family: 4 },
      { address: "2606:4700::1", family: 6 },
    ]);
    expect(await find(both, {})).toBe("8.8.8.8");
    expect(await find(both, { family: 6 })).toBe("2606:4700::1");
    await expect(find(lookup(answers("8.8.8.8")), { family: 6 })).rejects.toThrow(WebhookAddressError);
  });

  it("is refused if any of its addresses is not public", async () => {
    for (const address of [
      "127.0.0.1",
      "10.0.0.1",
      "169.254.169.254",
      "::1",
      "::ffff:10.0.0.1",
      "64:ff9b::a00:1",
    ]) {
      await expect(find(lookup(answers("8.8.8.8", address))), address).rejects.toThrow(WebhookAddressError);
      await expect(find(lookup(answers(address, "8.8.8.8")), { family: 4 }), address).rejects.toThrow();
    }
    await expect(find(lookup(answers()))).rejects.toThrow(WebhookAddressError);
  });

  it("may stand for other addresses if it is allowed, or they are", async () => {
    expect(await find(lookup(answers("10.0.0.1"), { allow: ["Hooks.example.org"] }), {})).toBe("10.0.0.1");
    expect(await find(lookup(answers("10.0.0.1"), { allow: ["10.0.0.0/30"] }), {})).toBe("10.0.0.1");
    await expect(find(lookup(answers("10.0.0.4"), { allow: ["10.0.0.0/30"] }), {})).rejects.toThrow();
    await expect(find(lookup(answers("10.0.0.1"), { allow: ["example.org"] }), {})).rejects.toThrow();
  });

  it("fails with the error of the resolver", async () => {
    const failing: Resolver = (_name, _options, answer) =>
      answer(Object.assign(new Error("none"), { code: "ENOTFOUND" }), []);
    await expect(find(lookup(failing))).rejects.toMatchObject({ code: "ENOTFOUND" });
  });
});
