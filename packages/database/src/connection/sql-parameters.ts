import { findTextFault, type TextFault } from "@synap/types/internal";
import type { SqlParameter } from "./sql-session.ts";

/** The protocol counts them in 16 bits. */
const MAX_PARAMETERS = 65_535;

/**
 * A parameter that no text column can hold. Sent all the same, half of a surrogate pair would be stored as U+FFFD without
 * an error, and a NUL character be refused without the name of the parameter.
 */
export class UnstorableTextError extends Error {
  override readonly name = "UnstorableTextError";
  readonly code = "UNSTORABLE_TEXT";
  /** Its number: 1 for $1. */
  readonly parameter: number;
  readonly fault: TextFault["code"];

  constructor(parameter: number, text: string, { code, reason }: TextFault) {
    super(
      `SQL parameter $${parameter} ${reason}: ${JSON.stringify(text.slice(0, 100))}. ` +
        "Refuse such text where it comes in, clean it (text.toWellFormed() replaces halves of pairs), or store it " +
        "as JSON.stringify writes it, in a column of type json.",
    );
    this.parameter = parameter;
    this.fault = code;
  }
}

/**
 * The parameters, checked: a list or an object would be written differently by the two drivers, and text that PostgreSQL
 * can't hold be changed on its way, so they are refused here rather than stored wrongly there. So is a number of them
 * that the protocol can't carry.
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
      throw new TypeError(`SQL parameter $${index + 1} is undefined; null is meant?`);
    if (typeof parameter === "object" && parameter !== null && !(parameter instanceof Date)) {
      throw new TypeError(
        `SQL parameter $${index + 1} is an object: pass JSON text as $${index + 1}::text::jsonb.`,
      );
    }
    return parameter;
  });
}

/** Only the texts, for drizzle, which writes the other values itself. @throws UnstorableTextError */
export function checkTexts(parameters: readonly unknown[]): void {
  for (const [index, parameter] of parameters.entries()) {
    if (typeof parameter !== "string") continue;
    const fault = findTextFault(parameter);
    if (fault !== undefined) throw new UnstorableTextError(index + 1, parameter, fault);
  }
}
