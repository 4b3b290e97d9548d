import type { PrincipalKind, Scope } from "@synap/types/http";

/** The sender of a request, and what it may do. */
export interface Principal {
  readonly kind: PrincipalKind;
  readonly id: string;
  readonly scopes: ReadonlySet<Scope>;
  /** End of the credential, in milliseconds since 1970; absent if it does not expire. */
  readonly expiresAt?: number;
  /** The credential that identified it. A local one is nothing but a request from this machine. */
  readonly credential: { readonly kind: "key" | "jwt" | "session" | "local"; readonly id: string };
}

/** True for a principal whose id is the user id of its events. */
export function isPerson({ kind }: Principal): boolean {
  return kind === "user" || kind === "staff";
}
