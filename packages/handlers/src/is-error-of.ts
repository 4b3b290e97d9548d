import { isErrorValue, readProperty } from "@synap/types/internal";

/**
 * Checks that a value is an instance of an error class, or of the same class in another copy of this package. An
 * application's bundled config has such a copy, whose errors reach this copy's engine.
 *
 * @param asked the class on the right of `instanceof`; for a subclass, only its own instances match
 */
export function isErrorOf(asked: unknown, known: unknown, value: unknown, code: string): boolean {
  if (asked !== known) {
    return typeof asked === "function" && Function.prototype[Symbol.hasInstance].call(asked, value);
  }
  return isErrorValue(value) && readProperty(value, "code") === code;
}
