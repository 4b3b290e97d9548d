import { randomBytes } from "node:crypto";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ErasureLedger, ledgerFile } from "./erasure-ledger.ts";
import { type KeyProvider, KeyProviderError } from "./key-provider.ts";
import { KEY_BYTES } from "./subject-cipher.ts";
import { localKeys, type NamedKey } from "./wrapping.ts";

/** A line of a key file: a name, a space, and 32 bytes as base64url. */
const LINE = /^([a-z0-9][a-z0-9-]{0,31}) ([A-Za-z0-9_-]{43})$/;

/** The keys of a file, read again when it has changed. */
export function keyFile(path: string): KeyProvider {
  let kept: { readonly changed: number; readonly keys: readonly NamedKey[] } | undefined;
  return localKeys(path, async () => {
    try {
      const { mtimeMs: changed } = await stat(path);
      if (kept?.changed !== changed) kept = { changed, keys: readKeys(path, await readFile(path, "utf8")) };
      return kept.keys;
    } catch (cause) {
      if (cause instanceof KeyProviderError) throw cause;
      throw new KeyProviderError(path, "the file can't be read.", { cause });
    }
  });
}

function readKeys(path: string, text: string): NamedKey[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const keys = lines.map((line, index) => {
    const [, name, key] = LINE.exec(line.trim()) ?? [];
    if (name === undefined || key === undefined)
      throw new KeyProviderError(path, `line ${index + 1} is not a name and 32 bytes as base64url.`);
    return { name, key: Buffer.from(key, "base64url") };
  });
  const names = new Set(keys.map(({ name }) => name));
  if (keys.length === 0) throw new KeyProviderError(path, "the file has no key.");
  if (names.size < keys.length) throw new KeyProviderError(path, "two of its keys have one name.");
  return keys;
}

/** Makes a key file that only its owner may read, unless there is one. */
export async function makeKeyFile(path: string): Promise<void> {
  try {
    await writeFile(path, `key-1 ${randomBytes(KEY_BYTES).toString("base64url")}\n`, {
      mode: 0o600,
      flag: "wx",
    });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

/** The name of the key file in a data directory. */
const KEY_FILE = "personal-data.keys";

/** The key file of a data directory, which is made with its first key if there is none, and the ledger beside it. */
export async function ownKeyFile(directory: string): Promise<{ keys: KeyProvider; ledger: ErasureLedger }> {
  const path = join(directory, KEY_FILE);
  await mkdir(directory, { recursive: true });
  await makeKeyFile(path);
  return { keys: keyFile(path), ledger: ledgerFile(`${path}.erased`) };
}
