/** What was copied here. Somebody else's frozen object may hold others that are not. */
const copies = new WeakSet<object>();

/**
 * A copy of a value of JSON that is frozen through and through, for values that belong to somebody else. What is such a
 * copy already is shared and not copied again. What no JSON is, a Date or an object of a class, stays itself.
 */
export function frozenCopy<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || copies.has(value)) return value;
  const copy = copyOf(value);
  if (copy === undefined) return value;
  copies.add(copy);
  // The same members in the same places, each as it was or as a copy of its own type.
  return Object.freeze(copy) as Value;
}

/** Undefined when it is neither an array nor a plain object. */
function copyOf(value: object): object | undefined {
  if (Array.isArray(value)) return value.map(frozenCopy);
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  // A spread also takes a member called __proto__ for an ordinary one, and so does the assignment to what it made.
  const copy: Record<string, unknown> = { ...value };
  for (const [key, member] of Object.entries(copy)) {
    if (typeof member === "object") copy[key] = frozenCopy(member);
  }
  return copy;
}
