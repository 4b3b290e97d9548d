import { timingSafeEqual } from "node:crypto";
import {
  hashSecret,
  isTransient,
  readKeyToken,
  type StoredApiKey,
  withTimeLimit,
} from "@synap/database/internal";
import { isScope } from "@synap/types/http";
import type { Logger } from "pino";
import { makeRoom } from "./make-room.ts";
import type { Principal } from "./principal.ts";
import { identityUnavailable, tokenInvalid } from "./refusals.ts";

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
  readonly now?: () => number;
}

/** Age from which a key is read again while it is still accepted... */
const REFRESH_MS = 10_000;
/** ...and from which it must have been read again, so that a revoked key stops within 30 s. */
const MAX_AGE_MS = 25_000;
/**
 * Age up to which a key is accepted while the database does not answer: it can't be revoked there meanwhile, and events are
 * accepted without the database too.
 */
const MAX_AGE_UNANSWERED_MS = 300_000;
/** Age of the knowledge that no key has an id. */
const MAX_AGE_UNKNOWN_MS = 10_000;
/** Time limit of reading a key. */
const READ_MS = 2_000;
const USE_RECORDED_MS = 60_000;

/** Largest number of keys that are kept... */
const MAX_KNOWN = 50_000;
/** ...of ids that no key has... */
const MAX_UNKNOWN = 10_000;
/** ...and of keys that are read at the same time. Guesses beyond it wait for nothing and cost the database nothing. */
const MAX_READS = 200;

interface KnownKey {
  readonly key: StoredApiKey;
  readonly hash: Buffer;
  readonly principal: Principal;
  readonly expiresAt: number;
  readAt: number;
}

/**
 * Creates the principals of API keys. A key that was read in the last seconds costs a hash and a comparison in constant time;
 * everything that is kept or waited for is bounded.
 */
export function createKeyPrincipals(options: KeyPrincipalsOptions): KeyPrincipals {
  const { store, logger, now = () => performance.now() } = options;
  const known = new Map<string, KnownKey>();
  const unknown = new Map<string, number>();
  const reads = new Map<string, Promise<KnownKey | undefined>>();

  function read(id: string): Promise<KnownKey | undefined> {
    const running = reads.get(id);
    if (running !== undefined) return running;
    if (!known.has(id) && reads.size >= MAX_READS)
      throw identityUnavailable("Too many unknown API keys are being looked up.");
    const at = now();
    const reading = withTimeLimit(store.find(id), READ_MS, () => {
      throw new SlowReadError(`no answer within ${READ_MS} ms`);
    })
      .then((key) => keep(id, key, at))
      .finally(() => reads.delete(id));
    reads.set(id, reading);
    return reading;
  }

  function keep(id: string, key: StoredApiKey | undefined, readAt: number): KnownKey | undefined {
    known.delete(id);
    unknown.delete(id);
    if (key === undefined) {
      makeRoom(unknown, MAX_UNKNOWN).set(id, readAt);
      return undefined;
    }
    const entry = knownKey(key, readAt);
    makeRoom(known, MAX_KNOWN).set(id, entry);
    return entry;
  }

  /** Reads a key again, or returns the earlier reading while the database does not answer. */
  async function readAgain(id: string, earlier: KnownKey | undefined): Promise<KnownKey | undefined> {
    try {
      return await read(id);
    } catch (error) {
      if (!isUnanswered(error)) throw error;
      if (earlier !== undefined && now() - earlier.readAt < MAX_AGE_UNANSWERED_MS) return earlier;
      throw identityUnavailable("The database with the API keys does not answer.", error);
    }
  }

  function accept(entry: KnownKey | undefined, secret: string): Principal {
    const given = Buffer.from(hashSecret(secret), "hex");
    if (entry === undefined || !timingSafeEqual(given, entry.hash)) throw noSuchKey();
    const { key, principal, expiresAt } = entry;
    if (key.revokedAt !== undefined) throw tokenInvalid("The API key was revoked.");
    if (expiresAt <= Date.now()) throw tokenInvalid("The API key has expired.");
    return principal;
  }

  function recordUse({ key: { id, lastUsedAt } }: KnownKey): void {
    if (lastUsedAt !== undefined && Date.now() - Date.parse(lastUsedAt) < USE_RECORDED_MS) return;
    store
      .recordUse(id)
      .catch((err: unknown) => logger.debug({ err, key: id }, "the use of a key was not recorded"));
  }

  async function afterReading(id: string, secret: string, earlier?: KnownKey): Promise<Principal> {
    const entry = await readAgain(id, earlier);
    const principal = accept(entry, secret);
    if (entry !== undefined && entry !== earlier) recordUse(entry);
    return principal;
  }

  return {
    principalOf(token) {
      const { id, secret } = readKeyToken(token) ?? {};
      if (id === undefined || secret === undefined) throw noSuchKey();
      const entry = known.get(id);
      const at = now();
      if (entry === undefined) {
        const missedAt = unknown.get(id);
        if (missedAt !== undefined && at - missedAt < MAX_AGE_UNKNOWN_MS) throw noSuchKey();
        return afterReading(id, secret);
      }
      const age = at - entry.readAt;
      if (age >= MAX_AGE_MS) return afterReading(id, secret, entry);
      const principal = accept(entry, secret);
      if (age >= REFRESH_MS && !reads.has(id)) {
        afterReading(id, secret, entry).catch((err: unknown) =>
          logger.debug({ err, key: id }, "a key could not be read again, or is no longer valid"),
        );
      }
      return principal;
    },
  };
}

/** The same for an unknown id and a wrong secret. */
function noSuchKey() {
  return tokenInvalid("There is no such API key.");
}

function knownKey(key: StoredApiKey, readAt: number): KnownKey {
  const expiresAt = key.expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(key.expiresAt);
  return {
    key,
    hash: Buffer.from(key.secretHash, "hex"),
    expiresAt,
    readAt,
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

/** Thrown when reading a key takes too long. */
class SlowReadError extends Error {}

function isUnanswered(error: unknown): boolean {
  return error instanceof SlowReadError || isTransient(error);
}
