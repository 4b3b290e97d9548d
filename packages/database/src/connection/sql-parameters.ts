import type { SqlParameter } from "./sql-session.ts";

/** The protocol counts them in 16 bits. */
const MAX_PARAMETERS = 65_535;

/**
 * The parameters, checked: a list or an object would be written differently by the two drivers, so it is refused here
 * rather than stored wrongly there. So is a number of them that the protocol can't carry.
 */
export function checkParameters(parameters: readonly SqlParameter[]): SqlParameter[] {
  if (parameters.length > MAX_PARAMETERS) {
    throw new RangeError(
      `A statement takes at most ${MAX_PARAMETERS} parameters, not ${parameters.length}: pass lists as JSON text.`,
    );
  }
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
