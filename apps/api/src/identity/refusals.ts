import type { ProblemCode, Scope } from "@synap/types/http";
import { Problem } from "../problems/problem.ts";
import type { Principal } from "./principal.ts";

/** Problem responses of every route that needs a scope. */
export const IDENTITY_PROBLEMS = [
  "token-missing",
  "token-invalid",
  "session-ended",
  "scope-missing",
  "origin-missing",
  "cross-site",
  "identity-unavailable",
  "rate-limited",
] as const satisfies readonly ProblemCode[];

const REALM = 'Bearer realm="synap"';

/** The problem of a request without a credential. */
export function tokenMissing(): Problem {
  return new Problem("token-missing", "This needs the header Authorization: Bearer <token>.", {
    headers: { "www-authenticate": REALM },
  });
}

/** The problem of a credential that is not accepted. The reason must not help to guess one. */
export function tokenInvalid(reason: string): Problem {
  return new Problem("token-invalid", reason, {
    headers: { "www-authenticate": `${REALM}, error="invalid_token"` },
  });
}

/** The problem of a session that is not accepted: ended, expired, or none at all. */
export function sessionEnded(reason = "There is no such session."): Problem {
  return new Problem("session-ended", `${reason} Sign in again, or send a token.`, {
    headers: { "www-authenticate": `${REALM}, error="invalid_token"` },
  });
}

/** The problem of signing in where sessions are not accepted. */
export function signInDisabled(): Problem {
  return new Problem(
    "sign-in-disabled",
    "This API begins no sessions, because it has no SYNAP_SESSION_SECRET.",
  );
}

/** The problem of a long response whose credential is no longer accepted. */
export function credentialEnded(reason: string, cause?: unknown): Problem {
  return new Problem("credential-ended", `${reason} Connect again with a valid credential.`, {
    cause,
    headers: { "www-authenticate": `${REALM}, error="invalid_token"` },
  });
}

/** The problem of a credential that can't be judged, because what knows it does not answer. */
export function identityUnavailable(reason: string, cause?: unknown): Problem {
  return new Problem("identity-unavailable", reason, { retryAfterSeconds: 1, cause });
}

/** Checks that a principal has a scope. @throws Problem `scope-missing` */
export function requireScope({ scopes, kind, id, credential }: Principal, scope: Scope): void {
  if (scopes.has(scope)) return;
  const has = scopes.size === 0 ? "no scope" : [...scopes].join(", ");
  const cure = credential.kind === "local" ? " Send the API key that start keeps in the data directory." : "";
  throw new Problem("scope-missing", `This needs the scope ${scope}; ${kind} ${id} has ${has}.${cure}`, {
    headers: { "www-authenticate": `${REALM}, error="insufficient_scope", scope="${scope}"` },
    members: { scope },
  });
}
