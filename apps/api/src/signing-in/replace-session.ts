import type { Logger } from "pino";
import type { SessionPrincipals } from "../identity/session-principals.ts";
import { Problem } from "../problems/problem.ts";

/**
 * Begins a session in place of the one that a browser has. Whatever cookie the browser brings, it is not continued.
 *
 * @param cookie the cookie of the browser's session
 * @param begin begins the session, and ends the one of this id
 */
export async function replaceSession<Begun>(
  { sessions, logger }: { readonly sessions: SessionPrincipals; readonly logger: Logger },
  cookie: string | undefined,
  begin: (before: string | undefined) => Promise<Begun>,
): Promise<Begun> {
  const before = await sessionOf(cookie, sessions);
  const begun = await begin(before);
  // This process notices it at once. It is ended in any case.
  if (before !== undefined)
    await sessions
      .end(before)
      .catch((err: unknown) => logger.debug({ err }, "an ended session is still known here"));
  return begun;
}

/** The id of the session of a cookie; undefined without one that is accepted. */
async function sessionOf(
  cookie: string | undefined,
  sessions: SessionPrincipals,
): Promise<string | undefined> {
  if (cookie === undefined) return undefined;
  try {
    return (await sessions.principalOf(cookie)).credential.id;
  } catch (error) {
    if (error instanceof Problem && error.code === "session-ended") return undefined;
    throw error;
  }
}
