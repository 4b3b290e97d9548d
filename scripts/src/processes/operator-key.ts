import type { Database } from "@synap/database";
import { createApiKey, createKeyToken, writeKeyToken } from "@synap/database/internal";
import { SCOPES } from "@synap/types/http";

/** Makes an API key with every scope, and returns it. */
export async function createOperatorKey(database: Database): Promise<string> {
  const key = createKeyToken();
  await createApiKey(database, key, {
    name: "scripts",
    kind: "staff",
    principalId: "scripts",
    scopes: SCOPES,
  });
  return writeKeyToken(key);
}
