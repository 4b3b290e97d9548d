import { requireBearerToken } from "./bearer-token.ts";

/**
 * Lets a backfill pass when the request carries the configured token.
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
