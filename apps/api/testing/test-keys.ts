import type { Database } from "@synap/database";
import { type ApiKeyGrant, createApiKey, createKeyToken, writeKeyToken } from "@synap/database/internal";
import { DEFAULT_SCOPES, type PrincipalKind, type Scope } from "@synap/types/http";

/** Makes an API key of a principal, with the scopes of its kind or these, and returns it. */
export async function createTestKey(
  database: Database,
  kind: PrincipalKind,
  principalId: string,
  scopes: readonly Scope[] = DEFAULT_SCOPES[kind],
): Promise<string> {
  const key = createKeyToken();
  const grant: ApiKeyGrant = { name: `${kind} ${principalId}`, kind, principalId, scopes };
  await createApiKey(database, key, grant);
  return writeKeyToken(key);
}
