import { describe, expect, it } from "vitest";
import { readAccept } from "./accept.ts";

const asked = (header: string) =>
  readAccept(header).map(({ essence, parameters }) => [essence, parameters.get("profile")].join(" ").trim());

describe("an Accept header", () => {
  it.each([
    ["application/json", ["application/json"]],
    ['application/json; profile="snake"', ["application/json snake"]],
    ["text/html, application/json;q=0.5, */*;q=0.1", ["text/html", "application/json", "*/*"]],
    ["a/b;q=0.2, c/d, e/f;q=0.9", ["c/d", "e/f", "a/b"]],
    ["*/*, a/*, a/b, c/d;q=0.5", ["a/b", "*/*", "a/*", "c/d"]],
    ["a/b;q=0, c/d;q=none, e/f", ["e/f"]],
    ['a/b; profile="one, two", c/d', ["a/b one, two", "c/d"]],
    ["", []],
    ["nonsense", []],
    [",,;", []],
    ['a/b, c/d; profile="open, e/f', ["a/b"]],
    ['a/b, c/d; profile="open\\', ["a/b"]],
  ])("%s", (header, expected) => {
    expect(asked(header)).toEqual(expected);
  });

  it("is read up to a bound", () => {
    expect(asked(Array.from({ length: 1000 }, (_, each) => `a/b${each}`).join(","))).toHaveLength(32);
  });
});
