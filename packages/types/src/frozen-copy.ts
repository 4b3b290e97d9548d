/**
 * A recursively frozen copy of a JSON value that belongs to somebody else. Parts that are recursively frozen already are
 * shared, not copied. What isn't JSON, such as a Date or an instance of a class, stays as it is.
 */
export function frozenCopy<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || isDeepFrozen(value)) return value;
  const copy = copyOf(value);
  // The same members in the same places, each as it was or as a copy of its own type.
  return copy === undefined ? value : (Object.freeze(copy) as Value);
}

/** Undefined when it is neither an array nor a plain object. */
function copyOf(value: object): object | undefined {
  if (Array.isArray(value)) return value.map(frozenCopy);
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  // A spread also takes a member called __proto__ for an ordinary one, and so does the assignment to what it made.
  const copy: Record<string, unknown> = { ...value };
  for (const key in copy) {
    const member = copy[key];
    if (typeof member === "object") copy[key] = frozenCopy(member);
  }
  return copy;
}

/** Somebody else's frozen object may hold others that are not. */
function isDeepFrozen(value: object): boolean {
  if (!Object.isFrozen(value)) return false;
  for (const member of Object.values(value)) {
    if (typeof member === "object" && member !== null && !isDeepFrozen(member)) return false;
  }
  return true;
}
