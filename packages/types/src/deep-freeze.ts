/**
 * Freezes a JSON value recursively and returns it: for values of our own making. One that is frozen already counts as
 * frozen all the way down. Pages of events go through here, so it allocates nothing.
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
