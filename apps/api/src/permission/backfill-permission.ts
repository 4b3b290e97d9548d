import { requireBearerToken } from "./bearer-token.ts";

/**
 * Checks that the request carries the backfill token.
 *
 * @throws Problem `backfill-disabled` when no token is configured, `token-missing` (401), `token-invalid` (403)
 */
export function requireBackfillPermission(request: Request, configured: string | undefined): void {
  requireBearerToken(request, configured, {
    name: "A backfill",
    realm: "synap backfill",
    variable: "SYNAP_BACKFILL_TOKEN",
    disabled: "backfill-disabled",
  });
}
