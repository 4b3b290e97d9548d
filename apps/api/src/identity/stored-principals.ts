import { isTransient, withTimeLimit } from "@synap/database/internal";
import type { Logger } from "pino";
import type { Problem } from "../problems/problem.ts";
import { makeRoom } from "./make-room.ts";
import type { Principal } from "./principal.ts";
import { identityUnavailable } from "./refusals.ts";

/** A credential as its holder sends it: the id finds it in the database, and the secret proves it. */
export interface SentCredential {
  readonly id: string;
  readonly secret: string;
}

/** A credential as it was read from the database. */
export interface StoredCredential {
  readonly principal: Principal;
  /** RFC 3339; accurate to a minute. */
  readonly lastUsedAt?: string | undefined;
  /** Compares its secret in constant time. */
  hasSecret(secret: string): boolean;
  /** The reason why it is not accepted any more; undefined if it is. */
  fault(): string | undefined;
}

/** A kind of credentials in the database. */
export interface CredentialStore {
  /** Their name in the plural: "API keys". */
  readonly name: string;
  find(id: string): Promise<StoredCredential | undefined>;
  recordUse(id: string): Promise<void>;
  /** The problem of a credential that is not there, or not accepted any more. It is the same for an unknown id and a wrong secret. */
  refusal(reason: string | undefined): Problem;
}

/** Principals of the credentials of a store. */
export interface StoredPrincipals {
  /** @throws Problem that the store refuses it with, `identity-unavailable` */
  principalOf(credential: SentCredential): Principal | Promise<Principal>;
  /** Reads a credential again, so that what was changed about it holds for the next request here. */
  refresh(id: string): Promise<void>;
}

/** Options of {@link createStoredPrincipals}. */
export interface StoredPrincipalsOptions {
  readonly store: CredentialStore;
  readonly logger: Logger;
  /** A monotonic clock, in milliseconds. */
  readonly now?: (() => number) | undefined;
}

/** Age from which a credential is read again while it is still accepted... */
const REFRESH_MS = 10_000;
/** ...and from which it must have been read again, so that a revoked one stops within 30 s. */
const MAX_AGE_MS = 25_000;
/**
 * Age up to which a credential is accepted while the database does not answer: it can't be revoked there meanwhile, and events are
 * accepted without the database too.
 */
const MAX_AGE_UNANSWERED_MS = 300_000;
/** Age of the knowledge that no credential has an id. */
const MAX_AGE_UNKNOWN_MS = 10_000;
/** Time limit of reading a credential. */
const READ_MS = 2_000;
const USE_RECORDED_MS = 60_000;

/** Largest number of credentials that are kept... */
const MAX_KNOWN = 50_000;
/** ...of ids that no credential has... */
const MAX_UNKNOWN = 10_000;
/** ...and of credentials that are read at the same time. Guesses beyond it wait for nothing and cost the database nothing. */
const MAX_READS = 200;

interface Known {
  readonly credential: StoredCredential;
  readonly readAt: number;
  /** Number of the reading. */
  readonly reading: number;
}

/**
 * Creates the principals of stored credentials. One that was read in the last seconds costs a comparison in constant time;
 * everything that is kept or waited for is bounded.
 */
export function createStoredPrincipals(options: StoredPrincipalsOptions): StoredPrincipals {
  const { store, logger, now = () => performance.now() } = options;
  const known = new Map<string, Known>();
  const unknown = new Map<string, number>();
  const reads = new Map<string, Promise<Known | undefined>>();
  let readings = 0;

  function read(id: string): Promise<Known | undefined> {
    const running = reads.get(id);
    if (running !== undefined) return running;
    if (!known.has(id) && reads.size >= MAX_READS)
      throw identityUnavailable(`Too many unknown ${store.name} are being looked up.`);
    const reading = readNow(id).finally(() => reads.delete(id));
    reads.set(id, reading);
    return reading;
  }

  async function readNow(id: string): Promise<Known | undefined> {
    const readAt = now();
    const reading = ++readings;
    const credential = await withTimeLimit(store.find(id), READ_MS, () => {
      throw new SlowReadError(`no answer within ${READ_MS} ms`);
    });
    const earlier = known.get(id);
    // A reading that began before another one must not bring back what that one found to be revoked.
    if (earlier !== undefined && earlier.reading > reading) return earlier;
    known.delete(id);
    unknown.delete(id);
    if (credential === undefined) {
      makeRoom(unknown, MAX_UNKNOWN).set(id, readAt);
      return undefined;
    }
    const entry = { credential, readAt, reading };
    makeRoom(known, MAX_KNOWN).set(id, entry);
    return entry;
  }

  /** Reads a credential again, or returns the earlier reading while the database does not answer. */
  async function readAgain(id: string, earlier: Known | undefined): Promise<Known | undefined> {
    try {
      return await read(id);
    } catch (error) {
      if (!isUnanswered(error)) throw error;
      if (earlier !== undefined && now() - earlier.readAt < MAX_AGE_UNANSWERED_MS) return earlier;
      throw identityUnavailable(`The database with the ${store.name} does not answer.`, error);
    }
  }

  function accept(entry: Known | undefined, secret: string): Principal {
    if (entry?.credential.hasSecret(secret) !== true) throw store.refusal(undefined);
    const { credential } = entry;
    const fault = credential.fault();
    if (fault !== undefined) throw store.refusal(fault);
    return credential.principal;
  }

  function recordUse(id: string, { lastUsedAt }: StoredCredential): void {
    if (lastUsedAt !== undefined && Date.now() - Date.parse(lastUsedAt) < USE_RECORDED_MS) return;
    store
      .recordUse(id)
      .catch((err: unknown) =>
        logger.debug({ err, id }, `the use of one of the ${store.name} was not recorded`),
      );
  }

  async function afterReading({ id, secret }: SentCredential, earlier?: Known): Promise<Principal> {
    const entry = await readAgain(id, earlier);
    const principal = accept(entry, secret);
    if (entry !== undefined && entry !== earlier) recordUse(id, entry.credential);
    return principal;
  }

  return {
    principalOf(sent) {
      const { id, secret } = sent;
      const entry = known.get(id);
      const at = now();
      if (entry === undefined) {
        const missedAt = unknown.get(id);
        if (missedAt !== undefined && at - missedAt < MAX_AGE_UNKNOWN_MS) throw store.refusal(undefined);
        return afterReading(sent);
      }
      const age = at - entry.readAt;
      if (age >= MAX_AGE_MS) return afterReading(sent, entry);
      const principal = accept(entry, secret);
      if (age >= REFRESH_MS && !reads.has(id)) {
        afterReading(sent, entry).catch((err: unknown) =>
          logger.debug(
            { err, id },
            `one of the ${store.name} could not be read again, or is no longer valid`,
          ),
        );
      }
      return principal;
    },
    refresh: async (id) => {
      await readNow(id);
    },
  };
}

/** Thrown when reading a credential takes too long. */
class SlowReadError extends Error {}

function isUnanswered(error: unknown): boolean {
  return error instanceof SlowReadError || isTransient(error);
}
