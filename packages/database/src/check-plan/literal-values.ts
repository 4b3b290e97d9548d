import type { z } from "zod";
import type { CheckNode } from "./check-plan.ts";
import { Obstacle } from "./obstacle.ts";

/** The values of an enum. */
export function enumValues(entries: z.core.util.EnumLike): (string | number)[] {
  // A numeric enum of TypeScript also maps its numbers to their names.
  const numbers = Object.values(entries).filter((value) => typeof value === "number");
  return Object.entries(entries)
    .filter(([name]) => !numbers.includes(Number(name)))
    .map(([, value]) => value);
}

/** A node that accepts only the listed values. @throws Obstacle for a value that JSON can't hold */
export function oneOf(values: readonly z.core.util.Literal[]): CheckNode {
  const allowed = values.map((value) => {
    if (typeof value === "bigint" || value === undefined)
      throw new Obstacle("it has a literal that JSON can't hold");
    return value;
  });
  const reason = `must be ${listOf(allowed)}`;
  return { rules: [{ is: "one-of", values: allowed, code: "not-allowed", reason, aborts: true }] };
}

/** Writes the values of which one must, or must not, be given. */
export function listOf(values: readonly unknown[]): string {
  const list = values.map((value) => JSON.stringify(value)).join(", ");
  return values.length === 1 ? list : `one of ${list}`;
}
