import { isLoopback } from "@synap/http";
import { createLocalJWKSet, errors, type JWTVerifyGetKey } from "jose";
import type { Logger } from "pino";
import { z } from "zod";

/** Age at which the keys of an issuer are read again, in the background... */
const REFRESH_MS = 600_000;
/** ...and up to which the last ones are used while it does not answer. */
const MAX_AGE_MS = 24 * 3_600_000;
/** Pause between two readings, whatever asks for them: a flood of unknown `kid`s costs the issuer one request in it. */
const COOLDOWN_MS = 30_000;
/** The same after a failure while there are no keys at all. */
const RETRY_MS = 5_000;
/** Time limit of a reading, and so of a request's wait for it. */
const READ_MS = 3_000;
/** Maximum size of a document of the issuer. */
const MAX_BYTES = 256 * 1024;

/** The address of the keys of an issuer. */
export interface IssuerKeysOptions {
  readonly issuer: string;
  /** Default: as the issuer's own configuration document says. */
  readonly jwksUrl?: string | undefined;
  readonly logger: Logger;
  /** A monotonic clock, in milliseconds. */
  readonly now?: () => number;
  readonly readMs?: number;
}

/** Thrown when there is no key of the issuer to verify with, because it does not answer. */
export class IssuerUnavailableError extends Error {}

/**
 * Creates the look-up of an issuer's public keys by the header of a token. Only the `kid` and the algorithm select a key; whatever
 * else a header names (`jku`, `jwk`, `x5u`) is ignored. The last good keys are used while the issuer does not answer.
 */
export function createIssuerKeys(options: IssuerKeysOptions): JWTVerifyGetKey {
  const { logger, now = () => performance.now() } = options;
  let keys: ReturnType<typeof createLocalJWKSet> | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    triedAt = now();
    try {
      keys = createLocalJWKSet(JSON.parse(await fetchKeys(options)));
      readAt = triedAt;
    } catch (err) {
      logger.warn({ err, issuer: options.issuer }, "the keys of the issuer could not be read");
    } finally {
      reading = undefined;
    }
  }

  /** Reads the keys again unless that was tried a moment ago. Never rejects. */
  function readAgain(pauseMs: number): Promise<void> {
    if (reading === undefined && now() - triedAt >= pauseMs) reading = read();
    return reading ?? Promise.resolve();
  }

  return async (header, token) => {
    const age = now() - readAt;
    if (keys === undefined || age >= MAX_AGE_MS) {
      await readAgain(RETRY_MS);
      if (keys === undefined || now() - readAt >= MAX_AGE_MS)
        throw new IssuerUnavailableError(`The keys of ${options.issuer} can't be read.`);
    } else if (age >= REFRESH_MS) {
      void readAgain(COOLDOWN_MS);
    }
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await readAgain(COOLDOWN_MS);
      return keys(header, token);
    }
  };
}

async function fetchKeys({ issuer, jwksUrl, readMs = READ_MS }: IssuerKeysOptions): Promise<string> {
  const signal = AbortSignal.timeout(readMs);
  return fetchText(jwksUrl ?? (await discover(issuer, signal)), signal);
}

/** Finds the address of the keys in the issuer's configuration document (OpenID Connect Discovery). */
async function discover(issuer: string, signal: AbortSignal): Promise<string> {
  const address = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const found: unknown = JSON.parse(await fetchText(address, signal));
  const { issuer: named, jwks_uri: keys } = z
    .looseObject({ issuer: z.string(), jwks_uri: z.url() })
    .parse(found);
  if (named !== issuer) throw new Error(`${address} names another issuer: ${named}`);
  if (!isTamperProof(keys)) throw new Error(`${address} names keys at an address without https: ${keys}`);
  return keys;
}

/** True for an address whose answers can't be changed on the way: https, or this machine. */
export function isTamperProof(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname));
}

async function fetchText(address: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(address, {
    signal,
    redirect: "error",
    headers: { accept: "application/json" },
  });
  if (!response.ok || response.body === null) throw new Error(`${address} answered ${response.status}`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new Error(`${address} answered more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
