import { randomBytes } from "node:crypto";
import type { Database, SqlSession, Transaction } from "../connection/sql-session.ts";
import { type ErasureLedger, ledgerHash } from "./erasure-ledger.ts";
import type { KeyProvider } from "./key-provider.ts";
import { createPseudonymKey } from "./pseudonyms.ts";
import { KEY_BYTES, type SubjectKey, subjectKey } from "./subject-cipher.ts";

/** Milliseconds for which a process keeps a key in memory: it may open values for so long after the key was destroyed. */
export const KEPT_MS = 10_000;

/** The key of a subject, or that it was destroyed. */
export type KeyState = SubjectKey | "erased";

/** Options of a look-up of keys. */
export interface KeyLookup {
  /** Makes a key for each subject that has none. */
  readonly create?: boolean;
  /** The transaction that the caller is in. */
  readonly transaction?: Transaction | undefined;
}

/** The keys of subjects. */
export interface SubjectKeys {
  /** Those of these subjects that have one, or had one. @throws KeyProviderError, DatabaseUnavailableError */
  find(subjects: ReadonlySet<string>, lookup?: KeyLookup): Promise<ReadonlyMap<string, KeyState>>;
  /** The key of the pseudonyms by which values are found. @throws KeyProviderError, DatabaseUnavailableError */
  pseudonymKey(lookup?: Pick<KeyLookup, "transaction">): Promise<Buffer>;
  /** Forgets the keys of subjects that are kept in memory. */
  forget(): void;
}

/** Options of {@link createSubjectKeys}. */
export interface SubjectKeysOptions {
  readonly database: Database;
  readonly provider: KeyProvider;
  /** The subjects that were erased, whatever the database says. */
  readonly ledger?: Pick<ErasureLedger, "read"> | undefined;
  /** For how long a key is kept in memory, in milliseconds: it opens values for so long after it was destroyed. Default: 10 s. */
  readonly keptMs?: number;
  /** The number of keys that are kept. Default: 10,000. */
  readonly maxKept?: number;
  /** A monotonic clock, in milliseconds. */
  readonly now?: () => number;
}

const FIND = `
SELECT subject, wrapped_key FROM synap.subject_keys
 WHERE subject = ANY (ARRAY(SELECT json_array_elements_text($1::text::json)))`;

// Sorted, so that two processes that make keys for the same subjects don't wait for one another.
const CREATE = `
INSERT INTO synap.subject_keys (subject, wrapped_key)
SELECT k.subject, k.wrapped FROM json_to_recordset($1::text::json) AS k(subject text, wrapped text)
 ORDER BY k.subject COLLATE "C"
ON CONFLICT (subject) DO NOTHING`;

interface KeyRow {
  readonly subject: string;
  readonly wrapped_key: string | null;
}

/** Creates the look-up of subjects' keys, which keeps the last ones in memory for a short time. */
export function createSubjectKeys({
  database,
  provider,
  ledger,
  keptMs = KEPT_MS,
  maxKept = 10_000,
  now = () => performance.now(),
}: SubjectKeysOptions): SubjectKeys {
  const kept = new Map<string, { readonly state: KeyState; readonly until: number }>();

  function keep(found: ReadonlyMap<string, KeyState>): void {
    const until = now() + keptMs;
    for (const [subject, state] of found) {
      kept.delete(subject);
      kept.set(subject, { state, until });
    }
    // The order of a Map is that of insertion: the oldest come first.
    for (const subject of kept.keys()) {
      if (kept.size <= maxKept) break;
      kept.delete(subject);
    }
  }

  async function read(session: SqlSession, subjects: readonly string[]): Promise<Map<string, KeyState>> {
    const erased = await ledger?.read();
    const stored = await session.query<KeyRow>(FIND, [JSON.stringify(subjects)]);
    // A restored backup may have the key of a subject that was erased since.
    const rows = stored.map((row) =>
      erased?.has(ledgerHash(row.subject)) ? { ...row, wrapped_key: null } : row,
    );
    const wrapped = rows.flatMap(({ subject, wrapped_key }) =>
      wrapped_key === null ? [] : [{ subject, wrapped: wrapped_key }],
    );
    const keys = wrapped.length === 0 ? [] : await provider.unwrap(wrapped);
    const found = new Map<string, KeyState>(rows.map(({ subject }) => [subject, "erased"]));
    for (const [index, { subject }] of wrapped.entries()) {
      const key = keys[index];
      if (key !== undefined) found.set(subject, subjectKey(key));
    }
    return found;
  }

  async function create(session: SqlSession, subjects: readonly string[]): Promise<void> {
    const made = subjects.map((subject) => ({ subject, key: randomBytes(KEY_BYTES) }));
    const wrapped = await provider.wrap(made);
    const rows = subjects.map((subject, index) => ({ subject, wrapped: wrapped[index] }));
    await session.query(CREATE, [JSON.stringify(rows)]);
  }

  return {
    async find(subjects, { create: mayCreate = false, transaction } = {}) {
      const found = new Map<string, KeyState>();
      const time = now();
      for (const subject of subjects) {
        const known = kept.get(subject);
        if (known !== undefined && known.until > time) found.set(subject, known.state);
      }
      const unknown = [...subjects].filter((subject) => !found.has(subject));
      if (unknown.length === 0) return found;
      // A server has connections beside the caller's, so that no key is locked until a long transaction ends. The embedded engine
      // has one session; what a transaction there makes may be rolled back, and is not kept.
      const isShared = database.engine === "server" || transaction === undefined;
      const session = isShared ? database.reads : transaction;
      let fresh = await read(session, unknown);
      const missing = unknown.filter((subject) => !fresh.has(subject));
      if (mayCreate && missing.length > 0) {
        await create(session, missing);
        // Another process may have made one first, or erased it since.
        fresh = new Map([...fresh, ...(await read(session, missing))]);
      }
      if (isShared) keep(fresh);
      for (const [subject, state] of fresh) found.set(subject, state);
      return found;
    },
    pseudonymKey: createPseudonymKey(database, provider),
    forget: () => kept.clear(),
  };
}
