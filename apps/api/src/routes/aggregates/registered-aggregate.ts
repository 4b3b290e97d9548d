import type { AggregateCommand, AggregateRegistration, AggregateRepository } from "@synap/handlers";
import type { JsonObject } from "@synap/types";
import { pathId } from "@synap/types/http";

/** A kind of aggregate that the API serves. */
export interface RegisteredAggregate extends AggregateRegistration {
  readonly repository: AggregateRepository<JsonObject, AggregateCommand>;
}

/** Which one, in the address. */
export const aggregateId = pathId.describe("Which one: 1 to 128 characters.");

/** An entity tag of a version: what `ETag` says and `If-Match` takes. */
export function versionTag(version: number): string {
  return `"${version}"`;
}
