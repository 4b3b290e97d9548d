import { timingSafeEqual } from "node:crypto";
import { hashSecret, readKeyToken, type StoredApiKey } from "@synap/database/internal";
import { isScope } from "@synap/types/http";
import type { Logger } from "pino";
import type { Principal } from "./principal.ts";
import { tokenInvalid } from "./refusals.ts";
import { createStoredPrincipals, type StoredCredential } from "./stored-principals.ts";

/** Principals of API keys. */
export interface KeyPrincipals {
  /** @throws Problem `token-invalid`, `identity-unavailable` */
  principalOf(token: string): Principal | Promise<Principal>;
}

/** The API keys as they are stored. */
export interface KeyStore {
  find(id: string): Promise<StoredApiKey | undefined>;
  recordUse(id: string): Promise<void>;
}

/** Options of {@link createKeyPrincipals}. */
export interface KeyPrincipalsOptions {
  readonly store: KeyStore;
  readonly logger: Logger;
  /** A monotonic clock, in milliseconds. */
  readonly now?: (() => number) | undefined;
}

/** Creates the principals of API keys, kept as {@link createStoredPrincipals} keeps them. */
export function createKeyPrincipals({ store, logger, now }: KeyPrincipalsOptions): KeyPrincipals {
  const stored = createStoredPrincipals({
    store: {
      name: "API keys",
      find: async (id) => {
        const key = await store.find(id);
        return key && credentialOf(key);
      },
      recordUse: store.recordUse,
      refusal: keyRefused,
    },
    logger,
    now,
  });
  return {
    principalOf(token) {
      const key = readKeyToken(token);
      if (key === undefined) throw keyRefused();
      return stored.principalOf(key);
    },
  };
}

function keyRefused(reason = "There is no such API key.") {
  return tokenInvalid(reason);
}

function credentialOf(key: StoredApiKey): StoredCredential {
  const expiresAt = key.expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(key.expiresAt);
  const hash = Buffer.from(key.secretHash, "hex");
  return {
    lastUsedAt: key.lastUsedAt,
    hasSecret: (secret) => timingSafeEqual(Buffer.from(hashSecret(secret), "hex"), hash),
    fault() {
      if (key.revokedAt !== undefined) return "The API key was revoked.";
      return expiresAt <= Date.now() ? "The API key has expired." : undefined;
    },
    principal: {
      kind: key.kind,
      id: key.principalId,
      // A scope of a later release, which this process does not know, permits nothing here.
      scopes: new Set(key.scopes.filter(isScope)),
      ...(key.expiresAt !== undefined && { expiresAt }),
      credential: { kind: "key", id: key.id },
    },
  };
}
