import { expect, it } from "vitest";
import { deepFreeze } from "./deep-freeze.ts";
import { frozenCopy } from "./frozen-copy.ts";

it("is equal and recursively frozen, and leaves the original unchanged", () => {
  const given = {
    list: [{ n: 1 }, [2]],
    none: undefined,
    zero: -0,
    inner: Object.freeze({ open: { n: 1 } }),
  };
  const copy = frozenCopy(given);
  expect(copy).toStrictEqual(given);
  expect(Object.keys(copy)).toEqual(Object.keys(given));
  expect(() => copy.list.push({ n: 3 })).toThrow(TypeError);
  expect(() => Object.assign(copy.list[0] ?? {}, { n: 2 })).toThrow(TypeError);
  expect(() => Object.assign(copy.inner.open, { n: 2 })).toThrow(TypeError);
  expect(Object.isFrozen(given)).toBe(false);
  expect(Object.isFrozen(given.inner.open)).toBe(false);
});

it("keeps a member named __proto__ as an own property", () => {
  const given: object = JSON.parse('{"__proto__":{"a":[1]},"b":2}');
  const copy = frozenCopy(given);
  expect(JSON.stringify(copy)).toBe(JSON.stringify(given));
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
});

it("shares frozen parts, and returns values that aren't JSON unchanged", () => {
  const once = frozenCopy({ list: [1, 2] });
  expect(frozenCopy({ ...once, more: 1 }).list).toBe(once.list);
  const moment = new Date(0);
  expect(frozenCopy({ moment }).moment).toBe(moment);
});

it("freezing in place is recursive", () => {
  const given = deepFreeze({ list: [{ deep: [{ n: 1 }] }] });
  expect(() => Object.assign(given.list[0]?.deep[0] ?? {}, { n: 2 })).toThrow(TypeError);
});
