/** Freezes a JSON value recursively and returns it. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) {
    if (typeof member === "object") deepFreeze(member);
  }
  return Object.freeze(value);
}
