/** The part of a text that a text column cannot hold: PostgreSQL refuses NUL, and half a surrogate pair becomes U+FFFD on the way. */
export function findTextFault(text: string): string | undefined {
  if (text.includes("\0")) return "a NUL character (U+0000); leave it out";
  if (!text.isWellFormed()) return "half of a surrogate pair; send whole Unicode characters";
  return undefined;
}
