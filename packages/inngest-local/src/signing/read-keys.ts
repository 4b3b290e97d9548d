import { isLoopback } from "@synap/http";
import type { InngestKeys } from "../options.ts";
import { EventKeys } from "./event-keys.ts";
import { SigningKey } from "./signing-key.ts";

/** Keys with which the broker can't be started. The message explains what is required. */
export class InngestKeysError extends Error {
  readonly code = "INNGEST_KEYS_INVALID";
  override readonly name = "InngestKeysError";
}

/** Keys of a running broker. */
export interface Keys {
  readonly signing: SigningKey;
  readonly events: EventKeys;
}

/**
 * Parses the broker's keys.
 *
 * @param host listening address; without keys it must be a loopback address
 * @returns undefined in development mode
 * @throws InngestKeysError
 */
export function readKeys(keys: InngestKeys | "none" | undefined, host: string): Keys | undefined {
  if (keys === "none") {
    if (isLoopback(host)) return undefined;
    throw new InngestKeysError(
      `Without keys inngest-local trusts every caller, so it must listen on a loopback address and not on ${host}. Configure keys, or listen on 127.0.0.1.`,
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
