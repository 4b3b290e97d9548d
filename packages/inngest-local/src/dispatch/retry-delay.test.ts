import { describe, expect, it } from "vitest";
import { parseRetryAfter, retryDelay } from "./retry-delay.ts";

describe("retryDelay", () => {
  it("follows the server's table plus up to 30 s", () => {
    expect([0, 1, 2, 9, 10, 50].map((attempt) => retryDelay(attempt, undefined, () => 0))).toEqual([
      15_000, 30_000, 60_000, 7_200_000, 7_200_000, 7_200_000,
    ]);
    expect(retryDelay(0, undefined, () => 0.999999)).toBe(44_999);
  });

  it("can be one number, or a table whose last entry repeats", () => {
    expect(retryDelay(7, 250)).toBe(250);
    expect([0, 1, 2].map((attempt) => retryDelay(attempt, [10, 20]))).toEqual([10, 20, 20]);
    expect(retryDelay(0, [])).toBe(0);
  });
});

describe("parseRetryAfter", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");

  it("reads seconds and dates, between 1 s and 24 h", () => {
    expect(parseRetryAfter("2", now)).toBe(2_000);
    expect(parseRetryAfter("0", now)).toBe(1_000);
    expect(parseRetryAfter("999999", now)).toBe(86_400_000);
    expect(parseRetryAfter("2026-01-01T00:00:05.000Z", now)).toBe(5_000);
    expect(parseRetryAfter("2020-01-01T00:00:00.000Z", now)).toBe(1_000);
  });

  it("ignores what it can't read", () => {
    for (const header of [undefined, "", "soon"]) expect(parseRetryAfter(header, now)).toBeUndefined();
  });
});
