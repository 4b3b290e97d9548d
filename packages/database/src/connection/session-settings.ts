/** How long a session's statements and transactions may take, in milliseconds; 0: as long as they want. */
export interface SessionLimits {
  readonly statementTimeout: number;
  readonly lockTimeout: number;
  readonly idleInTransactionTimeout: number;
}

/**
 * The settings that the store's statements and the driver rely on. `ALTER DATABASE ... SET`, `ALTER ROLE ... SET` and
 * the server's configuration may say otherwise: a DateStyle in which the driver reads no date, a TimeZone in which a day
 * is another one, a search path on which a function of somebody else comes first.
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
  // Plans over many chunks look costly and would be compiled, which takes longer than running them.
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
    // A statement with time bounds is planned for the one or two chunks it needs; a plan for any bounds is made for
    // all of them, half a second the first time with a thousand chunks, and slower to run.
    plan_cache_mode: "force_custom_plan",
    role: role ?? "none",
  };
}

/**
 * The settings as a startup option. The server takes them before it runs anything, over those of the database and the
 * role, and goes back to them on RESET and DISCARD.
 */
export function asStartupOptions(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\\s]/g, "\\$&")}`)
    .join(" ");
}

/** The settings as a script: for the session, or for the transaction that is open. */
export function asScript(settings: Readonly<Record<string, string>>, scope: "SESSION" | "LOCAL"): string {
  return Object.entries(settings)
    .map(([name, value]) => `SET ${scope} ${name} = ${isList(name) ? value : quote(value)};`)
    .join(" ");
}

/**
 * A statement for a session or a transaction that has begun, about what no list of settings can say:
 * `transaction_timeout`, which PostgreSQL has from version 17, and `synchronous_commit`, where `off` would let an event
 * be lost after it was answered for, while stricter values than `on` are the operator's choice.
 */
export function settleSettings(scope: "SESSION" | "LOCAL"): string {
  return `
SELECT set_config(name, CASE name WHEN 'synchronous_commit' THEN 'on' ELSE '0' END, ${scope === "LOCAL"})
  FROM pg_catalog.pg_settings
 WHERE (name = 'transaction_timeout' AND setting <> '0') OR (name = 'synchronous_commit' AND setting = 'off')`;
}

const SETS = /(?:^|;)\s*(?:SET\s+(?!LOCAL\b|TRANSACTION\b|CONSTRAINTS\b)|RESET\b|DISCARD\b)/i;
const CALLS_SET_CONFIG = /\bset_config\s*\((?![^)]*,\s*true\s*\))/i;

/**
 * Whether a statement may change settings of the session that stay when its transaction is committed. A comment in front of
 * SET or a function that sets something hides that.
 */
export function changesSession(text: string): boolean {
  return SETS.test(text) || CALLS_SET_CONFIG.test(text);
}

/**
 * A script for the end of a transaction whose statements have changed settings of the session: back to what it began with,
 * so that whoever uses it next does not meet them.
 */
export const RESET_SESSION = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL;";

/** A list takes its items apart: in quotes it would be one item. */
function isList(name: string): boolean {
  return name === "search_path" || name === "DateStyle";
}

function quote(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
