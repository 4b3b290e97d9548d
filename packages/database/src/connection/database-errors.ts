import { isErrorValue, readProperty } from "@synap/types/internal";
import { asEventsArchived } from "../events-archived.ts";
import { asPositionLost } from "../position-lost.ts";

/** Thrown when the database can't be reached or the connection was lost. Retry later; it is unknown if anything was stored. */
export class DatabaseUnavailableError extends Error {
  override readonly name = "DatabaseUnavailableError";
  readonly code = "DATABASE_UNAVAILABLE";

  constructor(reason: string, options?: ErrorOptions) {
    super(`The database is unavailable: ${reason}`, options);
  }
}

/**
 * Thrown when a value of the database's answer can't be parsed unambiguously, so that the answer is discarded. On a connection
 * of the application, its settings are the cause.
 */
export class UnreadableValueError extends Error {
  override readonly name = "UnreadableValueError";
  readonly code = "UNREADABLE_VALUE";

  constructor(type: string, text: string) {
    super(
      `The database answered with a ${type} that can't be read: ${JSON.stringify(text.slice(0, 100))}. ` +
        "If the connection is the application's own, set DateStyle to ISO on it.",
    );
  }
}

/** Thrown when other transactions got in the way of an append in every attempt. Nothing was stored; append again. */
export class AppendContentionError extends Error {
  override readonly name = "AppendContentionError";
  readonly code = "APPEND_CONTENTION";

  constructor(attempts: number, options?: ErrorOptions) {
    super(
      `Other transactions got in the way of the append in each of ${attempts} attempts. Nothing was stored. Append again.`,
      options,
    );
  }
}

/** The process that holds a data directory. */
export interface DataDirectoryHolder {
  readonly processId: number;
  /** When it locked the directory, RFC 3339. */
  readonly since: string;
  /** URLs at which it can be reached, by name. */
  readonly urls: Readonly<Record<string, string>>;
  /** The machine it runs on, if another one, where the process can't be checked. */
  readonly host?: string;
  /** The file to delete when that machine no longer uses the directory. */
  readonly lockFile?: string;
}

/** Thrown when another process, or another engine in this one, is using a data directory. The message has a line for each URL. */
export class DataDirectoryInUseError extends Error {
  override readonly name = "DataDirectoryInUseError";
  readonly code = "DATA_DIRECTORY_IN_USE";
  readonly directory: string;
  /** Process id of the holder. */
  readonly processId: number;
  readonly holder: DataDirectoryHolder;

  constructor(directory: string, holder: DataDirectoryHolder) {
    const { processId, since, urls, host, lockFile } = holder;
    const lines = [
      `The data directory ${directory} is in use by process ${processId}, since ${since}.`,
      ...Object.entries(urls).map(([name, url]) => `  ${name}: ${url}`),
    ];
    if (host !== undefined) {
      lines.push(
        `It runs on another machine (${host}). If that machine no longer uses the directory, delete ${lockFile}.`,
      );
    }
    lines.push(
      "One process at a time can open an embedded database: stop that one, use its API, or choose another directory.",
    );
    super(lines.join("\n"));
    this.directory = directory;
    this.processId = processId;
    this.holder = holder;
  }
}

// Codes of Node and postgres.js for a connection that could not be opened or was lost.
const CONNECTION_CODES: ReadonlySet<string> = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "EAI_AGAIN",
  "ENOTFOUND",
]);

// SQLSTATEs of a server that can't serve now.
const UNAVAILABLE_STATES: ReadonlySet<string> = new Set([
  "57P01", // the administrator shuts the server down
  "57P02", // another process crashed and took all connections along
  "57P03", // starting up, or shutting down
  "57P05", // idle for too long
  "25P03", // idle in a transaction for too long
  "25006", // read only: a failover is under way
]);

// Conflicts with other transactions: the same transaction, run again, may well succeed.
const CONFLICT_STATES: ReadonlySet<string> = new Set([
  "40001", // serialization failure
  "40P01", // deadlock
]);

/** SQLSTATE of a lock that another session held for longer than `lock_timeout`, or of a NOWAIT. */
const LOCK_NOT_AVAILABLE = "55P03";

/** The SQLSTATE of an error, found through wrappers; undefined if it has none. */
export function sqlState(error: unknown): string | undefined {
  for (const each of causes(error)) {
    const code = codeOf(each);
    if (code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !CONNECTION_CODES.has(code)) return code;
  }
  return undefined;
}

/** True if the database could not be reached or could not serve, as opposed to refusing the statement. */
export function isUnavailable(error: unknown): boolean {
  for (const each of causes(error)) {
    if (isUnavailableError(each)) return true;
    const code = codeOf(each);
    if (code === undefined) continue;
    if (CONNECTION_CODES.has(code) || UNAVAILABLE_STATES.has(code)) return true;
    if (isProtocolViolation(each, code)) continue;
    // Classes 08 connection, 53 out of resources, 58 operating system.
    if (/^(?:08|53|58)[0-9A-Z]{3}$/.test(code)) return true;
  }
  return false;
}

/**
 * True if the server refused a message, such as a statement with too few parameters: a mistake in this program, which a retry
 * repeats. PgBouncer uses the same state for every server that it can't reach, but as FATAL.
 */
function isProtocolViolation(error: unknown, code: string): boolean {
  return code === "08P01" && readProperty(error, "severity") !== "FATAL";
}

/** True if another session held a lock for too long. An immediate retry would only wait again. */
export function isLockTimeout(error: unknown): boolean {
  return sqlState(error) === LOCK_NOT_AVAILABLE;
}

/** True if the transaction conflicted with another one, so that an immediate retry makes sense. */
export function isConflict(error: unknown): boolean {
  for (const each of causes(error)) if (codeOf(each) === "APPEND_CONTENTION") return true;
  const state = sqlState(error);
  return state !== undefined && CONFLICT_STATES.has(state);
}

/**
 * True if the cause is not the data, so that the same work may succeed later: the database is unavailable or
 * overloaded, another transaction conflicted or held a lock, or a time limit cut the statement off.
 */
export function isTransient(error: unknown): boolean {
  return isUnavailable(error) || isConflict(error) || isLockTimeout(error) || isTimeLimit(error);
}

/** True if a time limit or an operator cancelled the statement: the database is busy, or the statement is slow. */
export function isTimeLimit(error: unknown): boolean {
  return sqlState(error) === "57014";
}

/** True if a value was refused: text that can't be stored, bad data (class 22), a violated constraint (23), or too large (54). */
export function isDataError(error: unknown): boolean {
  for (const each of causes(error)) if (codeOf(each) === "UNSTORABLE_TEXT") return true;
  const state = sqlState(error);
  return state !== undefined && /^(?:22|23|54)/.test(state);
}

/** Wraps an error of an unavailable database, and of a position that the store has never had or whose events are archived; no other. */
export function asDatabaseError(error: unknown): unknown {
  const refused = asPositionLost(error) ?? asEventsArchived(error);
  if (refused !== undefined) return refused;
  if (isUnavailableError(error) || !isUnavailable(error)) return error;
  const message = readProperty(error, "message");
  const reason = typeof message === "string" && message !== "" ? message : (codeOf(error) ?? "unknown");
  return new DatabaseUnavailableError(reason, { cause: error });
}

/** An error and its causes. Values thrown by handlers get here too, so every property is read safely. */
function* causes(error: unknown): Generator<unknown> {
  let each = error;
  for (let depth = 0; depth < 8 && each !== undefined && each !== null; depth += 1) {
    yield each;
    // Node reports a host with several addresses as one error that holds one for each.
    if (isErrorValue(each)) yield* firstOf(readProperty(each, "errors"));
    each = isErrorValue(each) ? readProperty(each, "cause") : undefined;
  }
}

function codeOf(error: unknown): string | undefined {
  const code = readProperty(error, "code");
  return typeof code === "string" ? code : undefined;
}

function isUnavailableError(error: unknown): boolean {
  return isErrorValue(error) && error instanceof DatabaseUnavailableError;
}

function firstOf(errors: unknown): readonly unknown[] {
  try {
    return Array.isArray(errors) ? errors.slice(0, 100) : [];
  } catch {
    return [];
  }
}
