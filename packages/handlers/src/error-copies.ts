import { isErrorValue, readProperty } from "@synap/types/internal";

/**
 * Whether a value is an instance of an error class, or of the class of the same code in another copy of this package. An
 * application's bundled config has such a copy, and throws its errors into this one's engine.
 *
 * @param asked the class at the right of `instanceof`: a subclass has only its own instances
 */
export function isErrorOf(asked: unknown, known: unknown, value: unknown, code: string): boolean {
  if (asked !== known) {
    return typeof asked === "function" && Function.prototype[Symbol.hasInstance].call(asked, value);
  }
  return isErrorValue(value) && readProperty(value, "code") === code;
}
