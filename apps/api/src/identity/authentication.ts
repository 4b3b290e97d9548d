import type { IncomingHttpHeaders } from "node:http";
import { KEY_PREFIX } from "@synap/database/internal";
import type { KeyPrincipals } from "./key-principals.ts";
import { isFromThisMachine, LOCAL_PRINCIPAL } from "./local-access.ts";
import type { Principal } from "./principal.ts";
import { tokenInvalid, tokenMissing } from "./refusals.ts";
import type { TokenPrincipals } from "./token-principals.ts";

/** The part of a request that identifies its sender. Node's `IncomingMessage` is one. */
export interface RequestHead {
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion: string;
}

/**
 * Finds out who a request is. Synchronous where possible, because it precedes every event.
 *
 * @throws Problem `token-missing`, `token-invalid`, `identity-unavailable`
 */
export type Authenticate = (request: RequestHead) => Principal | Promise<Principal>;

/** Sources of principals. */
export interface AuthenticationOptions {
  /** Undefined where API keys are not accepted. */
  readonly keys?: KeyPrincipals | undefined;
  /** Undefined where JWTs are not accepted. */
  readonly tokens?: TokenPrincipals | undefined;
  /** Accept requests of this machine without a credential. */
  readonly localAccess: boolean;
}

/** Name of the security scheme in the OpenAPI document. */
export const SECURITY_SCHEME = "bearer";

const BEARER = /^Bearer +(\S+) *$/i;

/** Longest token that is looked at, in characters. */
const MAX_TOKEN = 8_192;

/** Creates the authentication of requests. A credential that is not accepted is refused, also where none would be needed. */
export function createAuthentication({ keys, tokens, localAccess }: AuthenticationOptions): Authenticate {
  return (request) => {
    const { authorization } = request.headers;
    if (authorization === undefined) {
      if (localAccess && isFromThisMachine(request)) return LOCAL_PRINCIPAL;
      throw tokenMissing();
    }
    const token = authorization.length > MAX_TOKEN ? undefined : BEARER.exec(authorization)?.[1];
    if (token === undefined) {
      throw tokenInvalid(`Authorization must be "Bearer <token>" with at most ${MAX_TOKEN} characters.`);
    }
    const source = token.startsWith(KEY_PREFIX) ? keys : tokens;
    if (source !== undefined) return source.principalOf(token);
    throw tokenInvalid("The token is not one that this API accepts.");
  };
}
