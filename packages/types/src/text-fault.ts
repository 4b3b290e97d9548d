/** Fault of a text, without its path. */
export interface TextFault {
  readonly code: "nul-character" | "lone-surrogate";
  readonly reason: string;
}

/** Finds the two things that JavaScript text can hold and PostgreSQL text cannot: NUL and half a surrogate pair. */
export function findTextFault(text: string): TextFault | undefined {
  if (text.includes("\0")) {
    return { code: "nul-character", reason: "holds a NUL character (U+0000), which PostgreSQL cannot store" };
  }
  if (!text.isWellFormed()) {
    return { code: "lone-surrogate", reason: "holds half of a surrogate pair, which is not Unicode text" };
  }
  return undefined;
}
