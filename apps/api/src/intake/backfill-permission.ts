import { createHash, timingSafeEqual } from "node:crypto";
import { Problem } from "../problems/problem.ts";

const BEARER = /^Bearer +([^\s]+) *$/i;

/**
 * Lets a backfill pass when the request carries the configured token.
 *
 * @throws Problem `backfill-disabled` when no token is configured, `token-missing` (401), `token-invalid` (403)
 */
export function requireBackfillPermission(request: Request, configured: string | undefined): void {
  if (configured === undefined) {
    throw new Problem("backfill-disabled", "This API takes no backfills: SYNAP_BACKFILL_TOKEN is not set.");
  }
  const given = BEARER.exec(request.headers.get("authorization") ?? "")?.[1];
  if (given === undefined) {
    throw new Problem("token-missing", "A backfill needs the header Authorization: Bearer <token>.", {
      headers: { "www-authenticate": 'Bearer realm="synap backfill"' },
    });
  }
  if (isSameSecret(given, configured)) return;
  throw new Problem("token-invalid", "The token does not permit backfills.");
}

/** Compared by their hashes, which have one length: so neither content nor length shows in the time it takes. */
function isSameSecret(given: string, expected: string): boolean {
  const hash = (value: string) => createHash("sha256").update(value).digest();
  return timingSafeEqual(hash(given), hash(expected));
}
