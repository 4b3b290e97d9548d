import { isLoopback } from "@synap/http";
import { ConfigurationError, variable } from "@synap/service";
import { z } from "zod";
import {
  readTokenConfiguration,
  type TokenConfiguration,
  type TokenVariables,
  tokenVariables,
} from "./token-configuration.ts";

/** The environment variables of identity. */
export const identityVariables = {
  SYNAP_API_KEYS: variable.flag.optional(),
  SYNAP_LOCAL_ACCESS: variable.flag.default(true),
  SYNAP_SESSION_SECRET: z.string().min(32, "must have at least 32 characters").optional(),
  ...tokenVariables,
};

/** The sources of principals. */
export interface IdentityConfiguration {
  /** Accept API keys (SYNAP_API_KEYS, default true on a loopback address outside of production). */
  readonly apiKeys: boolean;
  /**
   * Accept requests without a credential from this machine (SYNAP_LOCAL_ACCESS, default true). Never in production (NODE_ENV) or on
   * an address other than a loopback one.
   */
  readonly localAccess: boolean;
  /**
   * The secret by which sessions are sealed (SYNAP_SESSION_SECRET, at least 32 characters). All APIs that use one database need the same.
   * Undefined where no session is accepted.
   */
  readonly sessionSecret?: string;
  /** Undefined where no JWT is accepted. */
  readonly tokens?: TokenConfiguration;
}

interface IdentityVariables extends TokenVariables {
  readonly SYNAP_API_KEYS?: boolean | undefined;
  readonly SYNAP_LOCAL_ACCESS: boolean;
  readonly SYNAP_SESSION_SECRET?: string | undefined;
}

/**
 * Reads how requests are identified.
 *
 * @throws ConfigurationError where an API in production, or on an address that others reach, could identify nobody
 */
export function readIdentity(
  { SYNAP_API_KEYS, SYNAP_LOCAL_ACCESS, SYNAP_SESSION_SECRET: sessionSecret, ...jwt }: IdentityVariables,
  { host, isProduction }: { readonly host: string; readonly isProduction: boolean },
): IdentityConfiguration {
  const isPrivate = isLoopback(host) && !isProduction;
  const apiKeys = SYNAP_API_KEYS ?? isPrivate;
  const tokens = readTokenConfiguration(jwt);
  if (!apiKeys && tokens === undefined && !isPrivate) {
    const why = isProduction ? "NODE_ENV is production" : `SYNAP_API_HOST is ${host}, which others can reach`;
    throw new ConfigurationError(
      `The API could identify nobody: ${why}, and neither API keys nor an issuer of tokens is configured.\n` +
        "Set SYNAP_API_KEYS=true, and make a key with `synap keys create`; or set SYNAP_JWT_ISSUER and SYNAP_JWT_AUDIENCE.",
    );
  }
  return {
    apiKeys,
    localAccess: SYNAP_LOCAL_ACCESS && isPrivate,
    ...(sessionSecret !== undefined && { sessionSecret }),
    ...(tokens !== undefined && { tokens }),
  };
}
