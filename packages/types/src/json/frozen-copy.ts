/**
 * Returns a recursively frozen copy of a caller's JSON value. Parts that are already recursively frozen are shared, not
 * copied. Values that aren't JSON, such as a Date or an instance of a class, are returned as they are.
 */
export function frozenCopy<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || isDeepFrozen(value)) return value;
  const copy = copyOf(value);
  // The copy has the members of the value, each unchanged or a copy of the same type.
  return copy === undefined ? value : (Object.freeze(copy) as Value);
}

/** Copies one level; undefined if the value is neither an array nor a plain object. */
function copyOf(value: object): object | undefined {
  if (Array.isArray(value)) return value.map(frozenCopy);
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  // The spread makes a member named __proto__ an own property, so the assignment below does not change the prototype.
  const copy: Record<string, unknown> = { ...value };
  for (const key in copy) {
    const member = copy[key];
    if (typeof member === "object") copy[key] = frozenCopy(member);
  }
  return copy;
}

/** Checks every level, because a caller's frozen object may contain unfrozen ones. */
function isDeepFrozen(value: object): boolean {
  if (!Object.isFrozen(value)) return false;
  for (const member of Object.values(value)) {
    if (typeof member === "object" && member !== null && !isDeepFrozen(member)) return false;
  }
  return true;
}
