import { randomBytes } from "node:crypto";
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeDirectory } from "../durable-files/make-directory.ts";
import { replaceFile, syncDirectory } from "../durable-files/replace-file.ts";

/**
 * A secret in a data directory, and the name of its file: the API key of those who operate Synap on this machine, the two keys
 * that API, worker and Inngest share, and the secret by which the API seals sessions.
 */
export type TokenName = "api-key" | "inngest-event-key" | "inngest-signing-key" | "session-secret";

/** Path of the token's file in a data directory. Readable by its owner only. */
export function tokenPath(directory: string, name: TokenName): string {
  return join(directory, name);
}

/** Reads the token of a data directory; undefined when it has none yet. */
export function readToken(directory: string, name: TokenName): string | undefined {
  const path = tokenPath(directory, name);
  if (!existsSync(path)) return undefined;
  return readFileSync(path, "utf8").trim() || undefined;
}

/** Replaces the token of a data directory that this process holds. */
export function keepToken(directory: string, name: TokenName, token: string): void {
  replaceFile(tokenPath(directory, name), `${token}\n`, 0o600);
}

/**
 * Reads the token of a data directory, 256 random bits as hex digits. Created on the first call; of several processes
 * that create it at the same time, all get the same.
 */
export function loadOrCreateToken(directory: string, name: TokenName): string {
  const kept = readToken(directory, name);
  if (kept !== undefined) return kept;
  makeDirectory(directory);
  const path = tokenPath(directory, name);
  const token = randomBytes(32).toString("hex");
  const draft = `${path}.draft.${randomBytes(6).toString("hex")}`;
  writeFileSync(draft, `${token}\n`, { mode: 0o600, flag: "wx", flush: true });
  try {
    // A link, unlike a rename, never replaces a file that another process has created meanwhile.
    linkSync(draft, path);
    syncDirectory(directory);
    return token;
  } catch (error) {
    const made = readToken(directory, name);
    if (made === undefined) throw error;
    return made;
  } finally {
    rmSync(draft, { force: true });
  }
}
