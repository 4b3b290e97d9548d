import { pathId } from "@synap/types/http";

/** Which one, in the address. */
export const aggregateId = pathId.describe("Id of the aggregate, 1 to 128 characters.");

/** An entity tag of a version: what `ETag` says and `If-Match` takes. */
export function versionTag(version: number): string {
  return `"${version}"`;
}
