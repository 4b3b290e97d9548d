import type { Database } from "@synap/database";
import {
  beginSession,
  type NewSession,
  type SessionToken,
  writeSessionToken,
} from "@synap/database/internal";

/** The secret by which the API under test seals sessions. */
export const SESSION_SECRET = "the secret of the sessions of tests";

/** A session as a browser has it. */
export interface TestSession extends SessionToken {
  /** The header `Cookie`. */
  readonly cookie: string;
}

/** Begins a session of staff with the scope `read`, or another one, for an API at an address of this machine. */
export async function beginTestSession(
  database: Database,
  url: string,
  session: Partial<NewSession> = {},
  secret = SESSION_SECRET,
): Promise<TestSession> {
  const token = await beginSession(database, secret, {
    kind: "staff",
    principalId: "grace",
    scopes: ["read", "publish"],
    origin: "oidc:https://id.example",
    ...session,
  });
  return { ...token, cookie: `synap_session_${new URL(url).port}=${writeSessionToken(token)}` };
}
