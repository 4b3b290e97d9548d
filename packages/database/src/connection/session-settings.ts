/** Maximum durations of a session's statements and transactions, in milliseconds; 0: no limit. */
export interface SessionLimits {
  readonly statementTimeout: number;
  readonly lockTimeout: number;
  readonly idleInTransactionTimeout: number;
}

/**
 * The settings that the store's statements and the driver rely on. `ALTER DATABASE ... SET`, `ALTER ROLE ... SET` and
 * the server's configuration may differ: a DateStyle that the driver can't parse, a TimeZone in which a day
 * is another one, a search path on which another function comes first.
 */
const PINNED: Readonly<Record<string, string>> = {
  client_encoding: "UTF8",
  DateStyle: "ISO, MDY",
  TimeZone: "UTC",
  IntervalStyle: "postgres",
  extra_float_digits: "1",
  bytea_output: "hex",
  search_path: '"$user", public',
  standard_conforming_strings: "on",
  backslash_quote: "safe_encoding",
  array_nulls: "on",
  transform_null_equals: "off",
  xmloption: "content",
  row_security: "on",
  gin_fuzzy_search_limit: "0",
  default_transaction_isolation: "read committed",
  default_transaction_read_only: "off",
  default_transaction_deferrable: "off",
  idle_session_timeout: "0",
  // Plans over many chunks look costly and would be JIT-compiled, which takes longer than running them.
  jit: "off",
};

/** The settings of a session of the embedded engine. */
export function embeddedSettings(): Readonly<Record<string, string>> {
  return { ...PINNED, statement_timeout: "0", lock_timeout: "0", idle_in_transaction_session_timeout: "0" };
}

/** The settings of a session on a server that runs as `role`, or as the login itself. */
export function serverSettings(
  role: string | undefined,
  { statementTimeout, lockTimeout, idleInTransactionTimeout }: SessionLimits,
): Readonly<Record<string, string>> {
  return {
    ...PINNED,
    statement_timeout: String(statementTimeout),
    lock_timeout: String(lockTimeout),
    idle_in_transaction_session_timeout: String(idleInTransactionTimeout),
    // A statement with time bounds is planned for the one or two chunks it needs; a generic plan covers
    // all chunks, takes half a second to make with a thousand of them, and runs slower.
    plan_cache_mode: "force_custom_plan",
    role: role ?? "none",
  };
}

/**
 * Formats the settings as a startup option. The server applies them before it runs anything, over those of the database and the
 * role, and returns to them on RESET and DISCARD.
 */
export function asStartupOptions(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\\s]/g, "\\$&")}`)
    .join(" ");
}

/** Formats the settings as a script for the session. */
export function asScript(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `SET SESSION ${name} = ${isList(name) ? value : quote(value)};`)
    .join(" ");
}

/**
 * A statement for a new session with the settings that depend on the server: `transaction_timeout`, which exists from
 * PostgreSQL 17 on, and `synchronous_commit`, where `off` could lose an event after it was confirmed, while values
 * stricter than `on` are the operator's choice.
 */
export const SETTLE_SESSION = `
SELECT set_config(name, CASE name WHEN 'synchronous_commit' THEN 'on' ELSE '0' END, false)
  FROM pg_catalog.pg_settings
 WHERE (name = 'transaction_timeout' AND setting <> '0') OR (name = 'synchronous_commit' AND setting = 'off')`;

/**
 * Formats the settings, with those of `SETTLE_SESSION`, as a script for the open transaction, after which the session has its own
 * again. One statement for all of them, because every transaction behind a pooler begins with it.
 */
export function asLocalScript(settings: Readonly<Record<string, string>>): string {
  const rows = Object.entries(settings).map(([name, value]) => `(${quote(name)}, ${quote(value)})`);
  return `
SET LOCAL search_path = pg_catalog;
SELECT count(set_config(name, value, true))
  FROM (VALUES
         ('synchronous_commit', CASE current_setting('synchronous_commit')
                                  WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END),
         ('transaction_timeout', '0'),
         ${rows.join(", ")}
       ) AS s (name, value)
 WHERE name <> 'transaction_timeout' OR current_setting(name, true) IS NOT NULL`;
}

const SETS = /(?:^|;)\s*(?:SET\s+(?!LOCAL\b|TRANSACTION\b|CONSTRAINTS\b)|RESET\b|DISCARD\b)/i;
const CALLS_SET_CONFIG = /\bset_config\s*\((?![^)]*,\s*true\s*\))/i;

/**
 * True if a statement may change settings of the session that outlive its transaction. A comment before
 * SET, or a function that changes a setting, is not detected.
 */
export function changesSession(text: string): boolean {
  return SETS.test(text) || CALLS_SET_CONFIG.test(text);
}

/**
 * A script for the end of a transaction that has changed session settings: restores the initial ones,
 * so that the next user of the session does not inherit them.
 */
export const RESET_SESSION = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL;";

/** True if the setting is a list, which must not be quoted as one item. */
function isList(name: string): boolean {
  return name === "search_path" || name === "DateStyle";
}

function quote(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
