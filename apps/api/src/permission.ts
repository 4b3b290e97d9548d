import { createHash, timingSafeEqual } from "node:crypto";
import type { ProblemCode } from "@synap/types/http";
import { Problem } from "./problems/problem.ts";

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

const BEARER = /^Bearer +([^\s]+) *$/i;

/** An action that requires a token. */
export interface GuardedAction {
  /** Subject of the error message: "A backfill". */
  readonly name: string;
  /** Realm of the header WWW-Authenticate. */
  readonly realm: string;
  /** The environment variable that holds the token. */
  readonly variable: string;
  /** Problem when no token is configured, so that the action is disabled. */
  readonly disabled: ProblemCode;
}

/**
 * Checks that a request carries the configured token in `Authorization: Bearer <token>`.
 *
 * @throws Problem `disabled` of the action (403) when no token is configured, `token-missing` (401), `token-invalid` (403)
 */
function requireBearerToken(request: Request, configured: string | undefined, action: GuardedAction): void {
  if (configured === undefined) {
    throw new Problem(action.disabled, `${action.name} is not enabled: set ${action.variable} for this API.`);
  }
  const given = BEARER.exec(request.headers.get("authorization") ?? "")?.[1];
  if (given === undefined) {
    throw new Problem("token-missing", `${action.name} needs the header Authorization: Bearer <token>.`, {
      headers: { "www-authenticate": `Bearer realm="${action.realm}"` },
    });
  }
  if (isSameSecret(given, configured)) return;
  throw new Problem("token-invalid", `The token is not the one in ${action.variable}.`);
}

/** Compares hashes in constant time, so that timing reveals neither content nor length. */
function isSameSecret(given: string, expected: string): boolean {
  const hash = (value: string) => createHash("sha256").update(value).digest();
  return timingSafeEqual(hash(given), hash(expected));
}
