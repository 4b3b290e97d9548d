import type { Scope } from "@synap/types/http";
import { Problem } from "../problems/problem.ts";
import type { Authenticate, RequestHead } from "./authentication.ts";
import type { Principal } from "./principal.ts";
import { credentialEnded, requireScope } from "./refusals.ts";

/**
 * Time between two checks of the credential of a long response, in milliseconds. A key is read again by the first check after 10 s, and a
 * revoked one is noticed by the next.
 */
const CHECK_MS = 5_000;

/** A request whose response may last longer than its credential. */
export interface LongRequest {
  readonly request: RequestHead;
  readonly principal: Principal;
  /** The scope that the response needs. */
  readonly scope: Scope;
}

/** Watches a credential until the returned function is called, and calls `onEnd` once when it is not accepted any more. */
export type CredentialWatch = (onEnd: (problem: Problem) => void) => () => void;

/**
 * Creates the watch over the credential of a long response, which has to end within 30 s of the end of its token, or the revocation of its
 * key or session.
 *
 * @throws Problem `credential-ended` for a token that has expired, and is accepted only because clocks differ
 */
export function createCredentialWatch(
  authenticate: Authenticate,
  { request, principal, scope }: LongRequest,
  checkMs: number = CHECK_MS,
): CredentialWatch {
  const { expiresAt = Number.POSITIVE_INFINITY } = principal;
  if (expiresAt <= Date.now()) throw credentialEnded("The credential has expired.");

  async function fault(): Promise<Problem | undefined> {
    if (expiresAt <= Date.now()) return credentialEnded("The credential has expired.");
    try {
      requireScope(await authenticate(request), scope);
      return undefined;
    } catch (error) {
      // What can't be judged now, because the database or the issuer is away, stays as it was judged before.
      const isRefused = error instanceof Problem && error.status < 500;
      return isRefused ? credentialEnded(error.message, error) : undefined;
    }
  }

  return (onEnd) => {
    let isWatching = true;
    const stop = () => {
      isWatching = false;
      clearInterval(timer);
    };
    const timer = setInterval(async () => {
      const problem = await fault();
      if (problem === undefined || !isWatching) return;
      stop();
      onEnd(problem);
    }, checkMs).unref();
    return stop;
  };
}
