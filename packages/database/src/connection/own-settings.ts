import { sqlState } from "./database-errors.ts";
import type { SqlParameter, Transaction } from "./sql-session.ts";
import { refuseModes, TransactionControlError } from "./transaction-control.ts";

/** The settings that part of a transaction may change for itself. */
export interface OwnSettings {
  /** The settings before the first statement that may change some, as JSON. */
  before?: Promise<string>;
}

/** The scope of a transaction: its session, and the part of the work that runs. */
export interface SettingsScope {
  readonly query: <Row extends object>(text: string, parameters: readonly SqlParameter[]) => Promise<Row[]>;
  readonly progress: { own?: OwnSettings | undefined };
}

const scopes = new WeakMap<Transaction, SettingsScope>();

/** Makes the scope of a transaction or savepoint known to {@link withOwnSettings}. */
export function registerScope(transaction: Transaction, scope: SettingsScope): void {
  scopes.set(transaction, scope);
}

/** A statement that begins with SET or RESET, also in a block of procedural code, or that calls set_config. */
const SETS = /(?:^|;|\bBEGIN|\bTHEN|\bELSE|\bLOOP)\s*(?:SET|RESET|DISCARD)\b|\bset_config\b/i;
/** The same words where a comment or a quoted name may stand before them. */
const MAY_SET = /\b(?:SET|RESET|DISCARD)\b/i;
const HAS_COMMENT = /--|\/\*/;

function maySet(text: string): boolean {
  return SETS.test(text) || (HAS_COMMENT.test(text) && MAY_SET.test(text));
}

// The role is not in pg_settings. The modes of a transaction can't be set after its first query, and the store's own settings hold
// what it knows about the transaction.
const SETTINGS = `
SELECT name, setting FROM pg_catalog.pg_settings
 WHERE context IN ('user', 'superuser') AND name NOT LIKE 'transaction\\_%' AND name NOT LIKE 'synap.%'
 UNION ALL
SELECT 'role', pg_catalog.current_setting('role')`;

const READ = `SELECT pg_catalog.jsonb_object_agg(name, setting)::text AS settings FROM (${SETTINGS}) AS every`;

// The role first: it decides whether the others may be set.
const RESTORE = `
SELECT pg_catalog.set_config(name, old.value, true)
  FROM (${SETTINGS}) AS now
  JOIN pg_catalog.jsonb_each_text($1::text::jsonb) AS old (name, value) USING (name)
 WHERE now.setting <> old.value
 ORDER BY name <> 'role'`;

/**
 * Checks a statement before it runs. The first one that may change settings has them read first, so that they can be restored.
 *
 * @returns what the statement has to wait for, if anything
 * @throws TransactionControlError for a statement that sets the transaction's modes
 */
export function beforeStatement(
  { query, progress: { own } }: SettingsScope,
  text: string,
): Promise<unknown> | undefined {
  if (own === undefined) return undefined;
  refuseModes(text);
  if (own.before === undefined && maySet(text)) own.before = readSettings(query);
  return own.before;
}

async function readSettings(query: SettingsScope["query"]): Promise<string> {
  const [row] = await query<{ settings: string }>(READ, []);
  return row?.settings ?? "{}";
}

/**
 * Runs part of a transaction's work, such as a handler, whose settings end with it: what follows in the transaction runs with the
 * settings from before. Costs nothing unless a statement may change settings. On a transaction that an application lends, the
 * settings stay as they are.
 *
 * @param always also restores settings that a function has changed, which no statement shows
 * @throws TransactionControlError when the work has made the transaction read only
 */
export async function withOwnSettings<T>(
  transaction: Transaction,
  work: () => Promise<T>,
  { always = false }: { readonly always?: boolean } = {},
): Promise<T> {
  const scope = scopes.get(transaction);
  if (scope === undefined) return work();
  const { progress, query } = scope;
  const outer = progress.own;
  const own: OwnSettings = {};
  progress.own = own;
  try {
    if (always) {
      own.before = readSettings(query);
      await own.before;
    }
    const result = await work();
    if (own.before !== undefined) await restore(query, await own.before);
    return result;
  } catch (error) {
    // The transaction has written before, so the database did not become read only by itself. Without the cause, which would
    // make it a failure of the database.
    if (sqlState(error) === READ_ONLY) throw readOnly();
    throw error;
  } finally {
    progress.own = outer;
  }
}

/** SQLSTATE read_only_sql_transaction. */
const READ_ONLY = "25006";

function readOnly(): TransactionControlError {
  return new TransactionControlError("SET TRANSACTION READ ONLY", "modes");
}

// Without a time limit, which may be one of the changed settings.
const MODE = `
SELECT pg_catalog.set_config('statement_timeout', '0', true), pg_catalog.current_setting('transaction_read_only') AS read_only`;

async function restore(query: SettingsScope["query"], before: string): Promise<void> {
  const [mode] = await query<{ read_only: string }>(MODE, []);
  if (mode?.read_only === "on") throw readOnly();
  await query(RESTORE, [before]);
}
