/** Describes why a text column can't store a text: PostgreSQL rejects NUL, and drivers turn a lone surrogate into U+FFFD. */
export function findTextFault(text: string): string | undefined {
  if (text.includes("\0")) return "a NUL character (U+0000); leave it out";
  if (!text.isWellFormed()) return "half of a surrogate pair; send whole Unicode characters";
  return undefined;
}
