import type { SqlParameter } from "./sql-session.ts";

/**
 * The parameters, checked: a list or an object would be written differently by the two drivers, so it is refused here
 * rather than stored wrongly there.
 */
export function checkParameters(parameters: readonly SqlParameter[]): SqlParameter[] {
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
