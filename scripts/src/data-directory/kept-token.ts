import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A token that a data directory keeps: for importing old events, or for operating Synap. Also its file's name. */
export type TokenName = "backfill-token" | "admin-token";

/** The file inside a data directory that holds the token. Readable by its owner only. */
export function tokenPath(directory: string, name: TokenName): string {
  return join(directory, name);
}

/** The token kept in this data directory, or undefined when none was made there yet. */
export function readToken(directory: string, name: TokenName): string | undefined {
  const path = tokenPath(directory, name);
  if (!existsSync(path)) return undefined;
  return readFileSync(path, "utf8").trim() || undefined;
}

/** The token kept in this data directory; made on the first call. Call it with the lock held. */
export function keepToken(directory: string, name: TokenName): string {
  const kept = readToken(directory, name);
  if (kept !== undefined) return kept;
  const token = randomBytes(32).toString("base64url");
  const path = tokenPath(directory, name);
  writeFileSync(`${path}.draft`, `${token}\n`, { mode: 0o600 });
  renameSync(`${path}.draft`, path);
  return token;
}
