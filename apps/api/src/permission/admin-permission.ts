import { Problem } from "../problems/problem.ts";
import { requireBearerToken } from "./bearer-token.ts";

/** Actor recorded if the request has no X-Synap-Actor header. */
export const UNNAMED_ACTOR = "admin-token";

const ACTOR = /^[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?$/;

/**
 * Checks the admin token of a request and returns the actor: the
 * header `X-Synap-Actor`, as claimed by the token's holder, or {@link UNNAMED_ACTOR}.
 *
 * @throws Problem `admin-disabled` when no token is configured, `token-missing` (401), `token-invalid` (403),
 *   `actor-invalid`
 */
export function requireAdminPermission(request: Request, configured: string | undefined): { actor: string } {
  requireBearerToken(request, configured, {
    name: "An admin route",
    realm: "synap admin",
    variable: "SYNAP_ADMIN_TOKEN",
    disabled: "admin-disabled",
  });
  const actor = request.headers.get("x-synap-actor")?.trim();
  if (actor === undefined || actor === "") return { actor: UNNAMED_ACTOR };
  if (ACTOR.test(actor)) return { actor };
  throw new Problem("actor-invalid", "X-Synap-Actor takes 1 to 128 printable ASCII characters.");
}
