import type { AggregateCommand, AggregateRegistration, AggregateRepository } from "@synap/handlers";
import type { JsonObject } from "@synap/types";
import { z } from "zod";

/** A kind of aggregate that the API serves. */
export interface RegisteredAggregate extends AggregateRegistration {
  readonly repository: AggregateRepository<JsonObject, AggregateCommand>;
}

/** Which one, in the address. */
export const aggregateId = z
  .string()
  .min(1)
  .max(128, "must have at most 128 characters")
  .refine((value) => !value.includes("\0"), "must not hold NUL")
  .describe("Which one: 1 to 128 characters.");

/** An entity tag of a version: what `ETag` says and `If-Match` takes. */
export function versionTag(version: number): string {
  return `"${version}"`;
}
