import { createHmac, hkdfSync, randomBytes } from "node:crypto";
import type { Database, SqlSession } from "../connection/sql-session.ts";
import { type KeyProvider, KeyProviderError } from "./key-provider.ts";
import { KEY_BYTES } from "./subject-cipher.ts";
import type { KeyLookup } from "./subject-keys.ts";

/** A value that can be looked up. */
export type PlainValue = string | number | boolean;

/** Bytes of a pseudonym: two values have the same one by accident once in 2^64 values. */
const PSEUDONYM_BYTES = 16;
/** The name that the key is wrapped for. */
export const PSEUDONYM_KEY_NAME = "synap pseudonyms";

const FIND = "SELECT wrapped_key FROM synap.pseudonym_key";

const CREATE = `
INSERT INTO synap.pseudonym_key (wrapped_key) VALUES ($1)
ON CONFLICT (is_only) DO NOTHING`;

/** True for a value that has a pseudonym. */
export function isPlainValue(value: unknown): value is PlainValue {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

/**
 * Makes the pseudonym of a value: the same for the same value in the same field of a type, and nothing that it could be made from without
 * the key. Two fields have different ones, so that they say nothing about one another.
 *
 * @param field JSON Pointer of the field in the data of its type, with 0 for each item of an array
 */
export function pseudonymOf(key: Buffer, type: string, field: string, value: PlainValue): string {
  const named = JSON.stringify(["synap pseudonym 1", type, field, value]);
  const digest = createHmac("sha256", key).update(named).digest();
  return `1.${digest.subarray(0, PSEUDONYM_BYTES).toString("base64url")}`;
}

/**
 * Creates the look-up of the key of the pseudonyms, which is made when it is first needed, and kept in memory.
 *
 * @returns a function that throws KeyProviderError and DatabaseUnavailableError
 */
export function createPseudonymKey(
  database: Database,
  provider: KeyProvider,
): (lookup?: Pick<KeyLookup, "transaction">) => Promise<Buffer> {
  let kept: Buffer | undefined;

  async function find(session: SqlSession): Promise<Buffer | undefined> {
    const [row] = await session.query<{ wrapped_key: string }>(FIND);
    if (row === undefined) return undefined;
    const [key] = await provider.unwrap([{ subject: PSEUDONYM_KEY_NAME, wrapped: row.wrapped_key }]);
    return key && Buffer.from(hkdfSync("sha256", key, "", "synap pseudonym 1", KEY_BYTES));
  }

  async function create(session: SqlSession): Promise<void> {
    const [wrapped] = await provider.wrap([{ subject: PSEUDONYM_KEY_NAME, key: randomBytes(KEY_BYTES) }]);
    if (wrapped === undefined) throw new KeyProviderError(provider.name, "it gave no wrapped key.");
    await session.query(CREATE, [wrapped]);
  }

  return async ({ transaction } = {}) => {
    if (kept !== undefined) return kept;
    // As with the keys of subjects: what a transaction of the embedded engine makes may be rolled back.
    const isShared = database.engine === "server" || transaction === undefined;
    const session = isShared ? database.reads : transaction;
    let key = await find(session);
    if (key === undefined) {
      await create(session);
      // Another process may have made one first.
      key = await find(session);
    }
    if (key === undefined) throw new Error("The key of the pseudonyms was removed.");
    if (isShared) kept = key;
    return key;
  };
}
