import type { Database } from "../connection/sql-session.ts";
import { type KeyProvider, KeyProviderError } from "../personal-data/key-provider.ts";
import { PSEUDONYM_KEY_NAME } from "../personal-data/pseudonyms.ts";

const PAGE = `
SELECT subject, wrapped_key AS wrapped FROM synap.subject_keys
 WHERE wrapped_key IS NOT NULL AND subject > $1
 ORDER BY subject
 LIMIT 500`;

// A key that was destroyed meanwhile stays so.
const REWRAP = `
UPDATE synap.subject_keys AS k SET wrapped_key = n.wrapped
  FROM json_to_recordset($1::text::json) AS n(subject text, before text, wrapped text)
 WHERE k.subject = n.subject AND k.wrapped_key = n.before`;

const PSEUDONYM_KEY = "SELECT wrapped_key AS wrapped FROM synap.pseudonym_key";
const REWRAP_PSEUDONYM_KEY = "UPDATE synap.pseudonym_key SET wrapped_key = $1";

/**
 * Wraps the key of the pseudonyms, and that of every subject, with the newest wrapping key, 500 at a time. The keys themselves, and so all events, stay as they are; an
 * interruption does no harm. Afterwards the old wrapping key can be removed.
 *
 * @returns the number of keys of subjects
 * @throws KeyProviderError
 */
export async function rewrapKeys(database: Database, provider: KeyProvider): Promise<number> {
  await rewrapPseudonymKey(database, provider);
  let after = "";
  for (let done = 0; ; ) {
    const rows = await database.asOwner((owner) =>
      owner.query<{ subject: string; wrapped: string }>(PAGE, [after]),
    );
    const last = rows.at(-1);
    if (last === undefined) return done;
    const keys = await provider.unwrap(rows);
    const wrapped = await provider.wrap(
      rows.map(({ subject }, index) => ({ subject, key: keys[index] ?? Buffer.alloc(0) })),
    );
    const changes = rows.map(({ subject, wrapped: before }, index) => ({
      subject,
      before,
      wrapped: wrapped[index],
    }));
    await database.asOwner((owner) => owner.query(REWRAP, [JSON.stringify(changes)]));
    done += rows.length;
    after = last.subject;
  }
}

async function rewrapPseudonymKey(database: Database, provider: KeyProvider): Promise<void> {
  const [row] = await database.asOwner((owner) => owner.query<{ wrapped: string }>(PSEUDONYM_KEY));
  if (row === undefined) return;
  const subject = PSEUDONYM_KEY_NAME;
  const [key] = await provider.unwrap([{ subject, wrapped: row.wrapped }]);
  if (key === undefined) return;
  const [wrapped] = await provider.wrap([{ subject, key }]);
  if (wrapped === undefined) throw new KeyProviderError(provider.name, "it gave no wrapped key.");
  await database.asOwner((owner) => owner.query(REWRAP_PSEUDONYM_KEY, [wrapped]));
}
