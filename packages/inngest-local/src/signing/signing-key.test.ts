import { createHash, createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { SigningKey } from "./signing-key.ts";

const hex = "5f2c".repeat(16);

describe("SigningKey", () => {
  it("signs the canonical form of the body, followed by the time, with the key as text", () => {
    const expected = createHmac("sha256", hex).update('{"a":[1,true],"b":2}1700000000').digest("hex");
    const key = new SigningKey(`signkey-prod-${hex}`);
    expect(key.sign('{"b":2,"a":[1.0,true]}', 1_700_000_000_999)).toBe(`t=1700000000&s=${expected}`);
    expect(new SigningKey(hex).sign('{ "a": [1, true], "b": 2 }', 1_700_000_000_000)).toBe(
      `t=1700000000&s=${expected}`,
    );
  });

  it("signs the form that Inngest's SDK verifies, even if that is not canonical", () => {
    // The SDK takes an object with a field toJSON as it is, whatever the field holds, and leaves its keys unsorted.
    const expected = createHmac("sha256", hex)
      .update('{"a":{"toJSON":1,"b":2,"a":3}}1700000000')
      .digest("hex");
    const body = '{"a":{"toJSON":1,"b":2,"a":3}}';
    expect(new SigningKey(hex).sign(body, 1_700_000_000_000)).toBe(`t=1700000000&s=${expected}`);
  });

  it("signs an empty body as the empty text", () => {
    const expected = createHmac("sha256", hex).update("1700000000").digest("hex");
    expect(new SigningKey(hex).sign("", 1_700_000_000_000)).toBe(`t=1700000000&s=${expected}`);
  });

  it("admits the hash of the key's bytes as bearer, and nothing else", () => {
    const hash = createHash("sha256").update(Buffer.from(hex, "hex")).digest("hex");
    const key = new SigningKey(hex);
    expect(key.admits(`Bearer signkey-prod-${hash}`)).toBe(true);
    expect(key.admits(`Bearer ${hash}`)).toBe(true);
    for (const wrong of [
      undefined,
      "",
      "Bearer ",
      "Bearer undefined",
      `Bearer ${hex}`,
      `Bearer ${hash.slice(2)}`,
      hash,
    ]) {
      expect(key.admits(wrong)).toBe(false);
    }
  });

  it("refuses a key that isn't hex", () => {
    expect(() => new SigningKey("signkey-prod-secret!")).toThrow(TypeError);
    expect(() => new SigningKey("")).toThrow(TypeError);
  });
});
