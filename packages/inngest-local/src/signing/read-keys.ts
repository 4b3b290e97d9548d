import { isLoopback } from "@synap/http";
import type { InngestKeys } from "../options.ts";
import { EventKeys } from "./event-keys.ts";
import { SigningKey } from "./signing-key.ts";

/** A stand-in must not be started with these keys. The message says what to give. */
export class InngestKeysError extends Error {
  readonly code = "INNGEST_KEYS_INVALID";
  override readonly name = "InngestKeysError";
}

/** The keys of a running stand-in. */
export interface Keys {
  readonly signing: SigningKey;
  readonly events: EventKeys;
}

/**
 * Checks the keys that a stand-in is started with.
 *
 * @param host what it listens on: without keys only a loopback address will do
 * @returns undefined in development mode
 * @throws InngestKeysError
 */
export function readKeys(keys: InngestKeys | "none" | undefined, host: string): Keys | undefined {
  if (keys === "none") {
    if (isLoopback(host)) return undefined;
    throw new InngestKeysError(
      `Without keys inngest-local obeys everybody who reaches it, so it listens on a loopback address only and not on ${host}. Give it keys, or let it listen on 127.0.0.1.`,
    );
  }
  if (keys === undefined || keys.eventKeys.length === 0 || keys.eventKeys.includes("")) {
    throw new InngestKeysError(
      'inngest-local needs a signing key and at least one event key, or keys: "none" for development on this machine.',
    );
  }
  try {
    return { signing: new SigningKey(keys.signingKey), events: new EventKeys(keys.eventKeys) };
  } catch (cause) {
    throw new InngestKeysError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
