import { findTextFault, type TextFault } from "@synap/types/internal";
import type { SqlParameter } from "./sql-session.ts";

/** Maximum number of parameters: the protocol counts them in 16 bits. */
const MAX_PARAMETERS = 65_535;

/**
 * Thrown for a parameter that no text column can hold. If sent, a lone surrogate would be stored as U+FFFD without
 * an error, and a NUL character refused without the number of the parameter.
 */
export class UnstorableTextError extends Error {
  override readonly name = "UnstorableTextError";
  readonly code = "UNSTORABLE_TEXT";
  /** The parameter's number: 1 for $1. */
  readonly parameter: number;
  readonly fault: TextFault["code"];

  constructor(parameter: number, text: string, { code, reason }: TextFault) {
    super(
      `SQL parameter $${parameter} ${reason}: ${JSON.stringify(text.slice(0, 100))}. ` +
        "Refuse such text on input, clean it (text.toWellFormed() replaces lone surrogates), or store it " +
        "as JSON.stringify writes it, in a column of type json.",
    );
    this.parameter = parameter;
    this.fault = code;
  }
}

/**
 * Validates parameters. A list or an object would be written differently by the two drivers, and text that PostgreSQL
 * can't hold would be changed, so both are refused rather than stored wrongly. So is a number of parameters
 * beyond the protocol's limit.
 * @throws UnstorableTextError, RangeError, TypeError
 */
export function checkParameters(parameters: readonly SqlParameter[]): SqlParameter[] {
  if (parameters.length > MAX_PARAMETERS) {
    throw new RangeError(
      `A statement takes at most ${MAX_PARAMETERS} parameters, not ${parameters.length}: pass lists as JSON text.`,
    );
  }
  checkTexts(parameters);
  return parameters.map((parameter, index) => {
    if (parameter === undefined)
      throw new TypeError(`SQL parameter $${index + 1} is undefined. Pass null for SQL NULL.`);
    if (typeof parameter === "object" && parameter !== null && !(parameter instanceof Date)) {
      throw new TypeError(
        `SQL parameter $${index + 1} is an object: pass JSON text as $${index + 1}::text::jsonb.`,
      );
    }
    return parameter;
  });
}

/** Validates the text parameters only, for drizzle, which writes the other values itself. @throws UnstorableTextError */
export function checkTexts(parameters: readonly unknown[]): void {
  for (const [index, parameter] of parameters.entries()) {
    if (typeof parameter !== "string") continue;
    const fault = findTextFault(parameter);
    if (fault !== undefined) throw new UnstorableTextError(index + 1, parameter, fault);
  }
}
