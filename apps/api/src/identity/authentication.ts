import type { IncomingHttpHeaders } from "node:http";
import { KEY_PREFIX } from "@synap/database/internal";
import { SAFE_METHODS, senderOf } from "@synap/http";
import { Problem } from "../problems/problem.ts";
import type { KeyPrincipals } from "./key-principals.ts";
import { isFromThisMachine, LOCAL_PRINCIPAL } from "./local-access.ts";
import type { Principal } from "./principal.ts";
import { sessionEnded, tokenInvalid, tokenMissing } from "./refusals.ts";
import type { RequestCookie, SessionCookie } from "./session-cookie.ts";
import type { SessionPrincipals } from "./session-principals.ts";
import type { TokenPrincipals } from "./token-principals.ts";

/** The part of a request that identifies its sender. Node's `IncomingMessage` is one. */
export interface RequestHead {
  /** Default: GET. */
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion: string;
}

/**
 * Finds out who a request is. Synchronous where possible, because it precedes every event.
 *
 * @throws Problem `token-missing`, `token-invalid`, `session-ended`, `origin-missing`, `cross-site`, `identity-unavailable`
 */
export type Authenticate = (request: RequestHead) => Principal | Promise<Principal>;

/** Sources of principals. */
export interface AuthenticationOptions {
  /** Undefined where API keys are not accepted. */
  readonly keys?: KeyPrincipals | undefined;
  /** Undefined where JWTs are not accepted. */
  readonly tokens?: TokenPrincipals | undefined;
  /** Undefined where sessions are not accepted. */
  readonly sessions?: Pick<SessionPrincipals, "principalOf"> | undefined;
  /** Finds the session's cookie. */
  readonly cookie: SessionCookie;
  /** Accept requests of this machine without a credential. */
  readonly localAccess: boolean;
}

/** Name of the security scheme of tokens in the OpenAPI document... */
export const SECURITY_SCHEME = "bearer";
/** ...and of that of sessions. */
export const SESSION_SCHEME = "session";

const BEARER = /^Bearer +(\S+) *$/i;

/** Longest token that is looked at, in characters. */
const MAX_TOKEN = 8_192;

/**
 * Creates the authentication of requests. A credential that is not accepted is refused, also where none would be needed. A request with
 * a token and a session is that of the token.
 */
export function createAuthentication(options: AuthenticationOptions): Authenticate {
  const { keys, tokens, sessions, localAccess } = options;
  return (request) => {
    const { authorization } = request.headers;
    if (authorization === undefined) {
      const cookie = options.cookie(request);
      if (cookie.value !== undefined) return principalOfCookie(cookie.value, cookie, request, sessions);
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

/** The principal of a request's session. A cookie that is not accepted is removed, so that the browser is nobody again. */
function principalOfCookie(
  value: string,
  cookie: RequestCookie,
  request: RequestHead,
  sessions: AuthenticationOptions["sessions"],
): Principal | Promise<Principal> {
  checkSender(request);
  const refuse = (error: unknown): never => {
    if (!(error instanceof Problem && error.code === "session-ended")) throw error;
    const { code, message, headers, cause } = error;
    throw new Problem(code, message, { headers: { ...headers, "set-cookie": cookie.clear() }, cause });
  };
  try {
    if (sessions === undefined) throw sessionEnded("This API has no sessions.");
    const principal = sessions.principalOf(value);
    return principal instanceof Promise ? principal.catch(refuse) : principal;
  } catch (error) {
    return refuse(error);
  }
}

/**
 * Checks that a page of another origin does not use the session of whoever looks at it. The browser adds the cookie by itself, so what
 * changes something must come from a page of the API, and the browser must say so.
 */
function checkSender({ method = "GET", headers }: RequestHead): void {
  const sender = senderOf(headers);
  if (sender === "other-origin") {
    throw new Problem(
      "cross-site",
      "A page of another origin may not use the session of this one. Send a token in Authorization, without cookies.",
    );
  }
  if (sender === "same-origin" || SAFE_METHODS.has(method)) return;
  throw new Problem(
    "origin-missing",
    `${method} with a session needs Sec-Fetch-Site or Origin, which browsers send. Programs send a token in Authorization instead.`,
  );
}
