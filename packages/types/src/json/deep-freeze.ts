/**
 * Freezes a JSON value in place, recursively, and returns it. For values that Synap created: a frozen object is assumed to be
 * frozen recursively. Allocates nothing, because it is called for every event that is read.
 */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) {
    for (const member of value) if (typeof member === "object") deepFreeze(member);
  } else {
    for (const key in value) {
      const member = value[key];
      if (typeof member === "object") deepFreeze(member);
    }
  }
  return Object.freeze(value);
}
