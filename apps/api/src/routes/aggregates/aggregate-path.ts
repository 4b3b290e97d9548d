import { pathId } from "@synap/types/http";

/** The path parameters of one aggregate. */
export const aggregateId = pathId.describe("Id of the aggregate, 1 to 128 characters.");

/** Entity tag of a version, for `ETag` and `If-Match`. */
export function versionTag(version: number): string {
  return `"${version}"`;
}
