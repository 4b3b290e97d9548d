import { randomBytes } from "node:crypto";
import type { JsonValue } from "@synap/types";
import { isSealedValue } from "@synap/types/internal";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openValue, paddedSize, sealValue, subjectKey } from "./subject-cipher.ts";

const key = subjectKey(randomBytes(32));
const place = {
  eventId: "0b0f4c5e-6f0c-4d0f-9a3e-3f1f7f6b0c11",
  type: "a.b",
  path: "/email",
  subject: "ada",
};

describe("a sealed value", () => {
  it("opens to the same JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const same = JSON.parse(JSON.stringify(value)) as JsonValue;
        const sealed = sealValue(key, place, same);
        expect(isSealedValue({ $sealed: sealed, subject: "ada" })).toBe(true);
        expect(openValue(key, place, sealed)).toEqual({ value: same });
      }),
    );
  });

  it("opens with its key and at its place only, and unchanged only", () => {
    const sealed = sealValue(key, place, "ada@example.org");
    expect(openValue(subjectKey(randomBytes(32)), place, sealed)).toBeUndefined();
    for (const moved of [{ eventId: "x" }, { type: "a.c" }, { path: "/name" }, { subject: "bob" }])
      expect(openValue(key, { ...place, ...moved }, sealed)).toBeUndefined();
    for (let index = 2; index < sealed.length - 1; index += 7) {
      const changed = `${sealed.slice(0, index)}${sealed[index] === "A" ? "B" : "A"}${sealed.slice(index + 1)}`;
      expect(openValue(key, place, changed)).toBeUndefined();
    }
    expect(openValue(key, place, "1.AAAA")).toBeUndefined();
  });

  it("is the same for the same value at the same place, so that a repetition is recognised, and differs otherwise", () => {
    const sealed = sealValue(key, place, "yes");
    expect(sealValue(key, place, "yes")).toBe(sealed);
    const others = [
      sealValue(key, place, "no"),
      sealValue(key, { ...place, eventId: "x" }, "yes"),
      sealValue(key, { ...place, path: "/other" }, "yes"),
      sealValue(subjectKey(randomBytes(32)), place, "yes"),
    ];
    expect(new Set([sealed, ...others]).size).toBe(5);
    // Neither do the first bytes, the nonce, repeat.
    expect(new Set([sealed, ...others].map((each) => each.slice(0, 18))).size).toBe(5);
  });

  it("hides the exact length of what is in it", () => {
    expect(sealValue(key, place, "yes")).toHaveLength(sealValue(key, place, "a much longer answer").length);
    expect([0, 31, 32, 63, 64, 1023, 1024, 2047, 2048].map(paddedSize)).toEqual([
      32, 32, 64, 64, 128, 1024, 2048, 2048, 3072,
    ]);
  });
});
