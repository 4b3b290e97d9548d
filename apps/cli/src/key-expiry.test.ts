import { InvalidArgumentError } from "commander";
import { expect, it } from "vitest";
import { readKeyExpiry } from "./key-expiry.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");

it.each([
  ["1h", "2026-01-01T01:00:00.000Z"],
  ["90d", "2026-04-01T00:00:00.000Z"],
  ["3650d", "2035-12-30T00:00:00.000Z"],
  ["2026-01-01T00:00:00.001Z", "2026-01-01T00:00:00.001Z"],
  ["2027-01-31T00:00:00+01:00", "2027-01-30T23:00:00.000Z"],
])("a key may end at %s", (value, moment) => {
  expect(readKeyExpiry(value, NOW)).toBe(moment);
});

it.each([
  ["0d", "already have expired"],
  ["0h", "already have expired"],
  ["2026-01-01T00:00:00Z", "already have expired"],
  ["1971-01-01T00:00:00Z", "already have expired"],
  ["99999d", "at most 10 years"],
  ["999999999d", "at most 10 years"],
  ["9999-01-01T00:00:00Z", "at most 10 years"],
  ["9999999999d", "must be like 90d"],
  ["-1d", "must be like 90d"],
  ["1.5d", "must be like 90d"],
  ["2026-02-30T00:00:00Z", "must be like 90d"],
  ["", "must be like 90d"],
])("and not at %j", (value, reason) => {
  const read = () => readKeyExpiry(value, NOW);
  expect(read).toThrow(InvalidArgumentError);
  expect(read).toThrow(reason);
});
