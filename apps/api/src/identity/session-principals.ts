import { hasSeal, readSessionToken, type StoredSession } from "@synap/database/internal";
import { isScope } from "@synap/types/http";
import type { Logger } from "pino";
import type { Principal } from "./principal.ts";
import { sessionEnded } from "./refusals.ts";
import { createStoredPrincipals, type StoredCredential } from "./stored-principals.ts";

/** Principals of sessions. */
export interface SessionPrincipals {
  /** @throws Problem `session-ended`, `identity-unavailable` */
  principalOf(session: string): Principal | Promise<Principal>;
  /** Ends a session: at once here, and within 30 s in other processes. */
  end(id: string): Promise<void>;
}

/** The sessions as they are stored. */
export interface SessionStore {
  find(id: string): Promise<StoredSession | undefined>;
  recordUse(id: string): Promise<void>;
  end(id: string): Promise<unknown>;
}

/** Options of {@link createSessionPrincipals}. */
export interface SessionPrincipalsOptions {
  readonly store: SessionStore;
  /** The secret by which sessions are sealed. */
  readonly secret: string;
  readonly logger: Logger;
  /** A monotonic clock, in milliseconds. */
  readonly now?: (() => number) | undefined;
}

/** Creates the principals of sessions, kept as {@link createStoredPrincipals} keeps them. */
export function createSessionPrincipals(options: SessionPrincipalsOptions): SessionPrincipals {
  const { store, secret, logger, now } = options;
  const stored = createStoredPrincipals({
    store: {
      name: "sessions",
      find: async (id) => {
        const session = await store.find(id);
        return session && credentialOf(session, secret);
      },
      recordUse: store.recordUse,
      refusal: sessionEnded,
    },
    logger,
    now,
  });
  return {
    principalOf(text) {
      const session = readSessionToken(text);
      if (session === undefined) throw sessionEnded();
      return stored.principalOf(session);
    },
    end: async (id) => {
      await store.end(id);
      await stored.refresh(id);
    },
  };
}

function credentialOf(session: StoredSession, apiSecret: string): StoredCredential {
  const { id, kind, principalId, scopes, seal, lastUsedAt, revokedAt } = session;
  const [endsAt, idleEndsAt] = [Date.parse(session.endsAt), Date.parse(session.idleEndsAt)];
  return {
    lastUsedAt,
    hasSecret: (secret) => hasSeal(seal, apiSecret, { id, secret }, session),
    fault() {
      if (revokedAt !== undefined) return "The session was ended.";
      if (endsAt <= Date.now()) return "The session has expired.";
      return idleEndsAt <= Date.now()
        ? "The session has expired, because it was not used for hours."
        : undefined;
    },
    principal: {
      kind,
      id: principalId,
      // A scope of a later release, which this process does not know, permits nothing here.
      scopes: new Set(scopes.filter(isScope)),
      expiresAt: endsAt,
      credential: { kind: "session", id },
    },
  };
}
