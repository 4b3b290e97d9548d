import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The file inside a data directory that holds the token for importing old events. Readable by its owner only. */
export function backfillTokenPath(directory: string): string {
  return join(directory, "backfill-token");
}

/** The token kept in this data directory, or undefined when none was made there yet. */
export function readBackfillToken(directory: string): string | undefined {
  const path = backfillTokenPath(directory);
  if (!existsSync(path)) return undefined;
  return readFileSync(path, "utf8").trim() || undefined;
}

/** The token kept in this data directory; made on the first call. Call it with the lock held. */
export function keepBackfillToken(directory: string): string {
  const kept = readBackfillToken(directory);
  if (kept !== undefined) return kept;
  const token = randomBytes(32).toString("base64url");
  const path = backfillTokenPath(directory);
  writeFileSync(`${path}.draft`, `${token}\n`, { mode: 0o600 });
  renameSync(`${path}.draft`, path);
  return token;
}
