/** A fault of a text, without its path. */
export interface TextFault {
  readonly code: "nul-character" | "lone-surrogate";
  readonly reason: string;
}

/** Finds what JavaScript strings can hold and PostgreSQL's text cannot: NUL and lone surrogates. */
export function findTextFault(text: string): TextFault | undefined {
  if (text.includes("\0")) {
    return { code: "nul-character", reason: "holds a NUL character (U+0000), which PostgreSQL cannot store" };
  }
  if (!text.isWellFormed()) {
    return {
      code: "lone-surrogate",
      reason: "holds a lone surrogate (half of a surrogate pair), which is not Unicode text",
    };
  }
  return undefined;
}
