import type { Database } from "@synap/database";
import {
  createApiKey,
  createKeyToken,
  findApiKey,
  hashSecret,
  type KeyToken,
  readKeyToken,
  revokeApiKey,
  writeKeyToken,
} from "@synap/database/internal";
import { SCOPES } from "@synap/types/http";
import { keepToken, readToken } from "../data-directory/kept-token.ts";

/** The principal and the scopes of whoever can read the data directory. */
const GRANT = { name: "start", kind: "staff", principalId: "operator", scopes: SCOPES } as const;

/**
 * Loads the API key with every scope that a data directory keeps for its owner, and stores it in the database. A new one is made
 * where there is none, or the database does not accept it: it was revoked, or lacks a scope of this release.
 */
export async function loadOperatorKey(database: Database, directory: string): Promise<string> {
  const kept = readKeyToken(readToken(directory, "api-key") ?? "");
  if (kept !== undefined && (await isAccepted(database, kept))) return writeKeyToken(kept);
  const key = createKeyToken();
  await createApiKey(database, key, GRANT);
  keepToken(directory, "api-key", writeKeyToken(key));
  return writeKeyToken(key);
}

async function isAccepted(database: Database, key: KeyToken): Promise<boolean> {
  // Another database than before does not have it.
  await createApiKey(database, key, GRANT);
  const stored = await findApiKey(database, key.id);
  if (stored === undefined || stored.secretHash !== hashSecret(key.secret) || stored.revokedAt !== undefined)
    return false;
  if (SCOPES.every((scope) => stored.scopes.includes(scope))) return true;
  await revokeApiKey(database, key.id);
  return false;
}
