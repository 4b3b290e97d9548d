import { didYouMean } from "@synap/types/internal";
import type { ClientConfig } from "pg";
import { parse, toClientConfig } from "pg-connection-string";
import { DatabaseUnavailableError, sqlState } from "../connection/database-errors.ts";

/** The setting that a URL comes from. */
export type UrlSetting =
  | "DATABASE_URL"
  | "DATABASE_DIRECT_URL"
  | "DATABASE_REPLICA_URL"
  | "The url of the sink";

/** Thrown for a URL that is not that of a PostgreSQL database. The message omits the URL, which may hold a password. */
export class DatabaseUrlError extends Error {
  override readonly name = "DatabaseUrlError";
  readonly code = "DATABASE_URL_INVALID";

  constructor(reason: string, setting: UrlSetting, options?: ErrorOptions) {
    super(
      `${setting} is not the URL of a PostgreSQL database: ${reason}.\n` +
        "Write it as postgres://USER:PASSWORD@HOST:PORT/DATABASE. Characters such as @ : / ? # % in the password are\n" +
        "percent-encoded: node -p 'encodeURIComponent(\"PASSWORD\")'.",
      options,
    );
  }
}

/** Thrown when a server refuses this login or this database. */
export class DatabaseRefusedError extends Error {
  override readonly name = "DatabaseRefusedError";
  readonly code = "DATABASE_REFUSED";

  constructor(message: string, cause: unknown) {
    super(message, { cause });
  }
}

/**
 * A fragment, or an "@" in the path or in the name of a parameter. A password with a bare / ? or # ends the host there, and
 * what would be taken for the host, the port or the database is a part of it.
 */
const UNENCODED_PASSWORD = /^[^/]*\/\/(?:[^#]*#|[^/?]*\/[^?]*@|[^?]*\?(?:.*&)?[^=&]*@)/;

/**
 * Parses a connection URL as libpq does: `sslmode=require` encrypts, `verify-full` also checks the
 * server's certificate.
 * @throws DatabaseUrlError
 */
export function readDatabaseUrl(url: string, setting: UrlSetting = "DATABASE_URL"): ClientConfig {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1];
  if (scheme === undefined) throw new DatabaseUrlError('it does not begin with "postgres://"', setting);
  if (!/^postgres(?:ql)?$/i.test(scheme)) {
    throw new DatabaseUrlError(`it begins with "${scheme}://" and not with "postgres://"`, setting);
  }
  if (UNENCODED_PASSWORD.test(url)) {
    throw new DatabaseUrlError(
      "it has a character / ? or # that is not percent-encoded, probably in the password",
      setting,
    );
  }
  const fault = findParameterFault(url);
  if (fault !== undefined) throw new DatabaseUrlError(fault, setting);
  try {
    return toClientConfig(parse(url, { useLibpqCompat: true }));
  } catch (cause) {
    // Parsing fails for a malformed host or port, an unencoded password, and unreadable certificate files.
    const isFile = cause instanceof Error && "syscall" in cause;
    const reason = isFile ? cause.message : "its user, password, host or port can't be read";
    throw new DatabaseUrlError(reason, setting, { cause });
  }
}

const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full", "no-verify"];
const PARAMETERS = [
  "sslmode",
  "sslcert",
  "sslkey",
  "sslrootcert",
  "sslnegotiation",
  "application_name",
  "fallback_application_name",
  "client_encoding",
  "connect_timeout",
  "statement_timeout",
  "options",
  "host",
  "port",
  "user",
  "password",
  "dbname",
];

/**
 * Finds a parameter that is misspelt, above all one about encryption, without which the connection would not be encrypted. Other
 * unknown ones are left alone: hosted databases and poolers add theirs to the URLs that they give out.
 */
function findParameterFault(url: string): string | undefined {
  const parameters = new URLSearchParams(url.split("?")[1] ?? "");
  for (const [name, value] of parameters) {
    if (name === "sslmode" && !SSL_MODES.includes(value)) {
      return `its sslmode is "${value}"${didYouMean(value, SSL_MODES)}, which is none of ${SSL_MODES.join(", ")}`;
    }
    if (PARAMETERS.includes(name)) continue;
    const similar = didYouMean(name, PARAMETERS);
    if (similar !== "") return `it has an unknown parameter "${name}"${similar}`;
  }
  return undefined;
}

/**
 * Turns the error of a first connection into an actionable one if the server can't be reached or refused the login or
 * the database; returns any other unchanged.
 */
export function explainRefusal(error: unknown, url: string, setting: UrlSetting = "DATABASE_URL"): unknown {
  const { user = "", host = "", port = 5432, database = user } = readDatabaseUrl(url);
  const server = `the server at ${host}:${port}`;
  const reason = (error instanceof Error ? error.message : String(error)).replace(UNAVAILABLE_PREFIX, "");
  const refused = (message: string) => new DatabaseRefusedError(message, error);
  const state = sqlState(error) === POOLER_REFUSAL ? stateOfRefusal(reason) : sqlState(error);
  switch (state) {
    case "28P01":
    case "28000":
      return refused(
        `The login "${user}" is refused by ${server}: ${reason}.\n` +
          `Correct the user and the password in ${setting}, or let the login in (pg_hba.conf).`,
      );
    case "3D000":
      return refused(
        `There is no database "${database}" on ${server}.\n` +
          `Correct the name at the end of ${setting}, or create it: CREATE DATABASE ${quote(database ?? "")} OWNER ${quote(user)};`,
      );
    case "42501":
      return refused(
        `The login "${user}" may not connect to the database "${database}" on ${server}: ${reason}.\n` +
          `An administrator allows it: GRANT CONNECT ON DATABASE ${quote(database ?? "")} TO ${quote(user)};`,
      );
    default:
  }
  if (/statement pooling mode/i.test(reason)) {
    return refused(
      `The pooler at ${host}:${port} is in statement mode, which has no transactions.\n` +
        "Set pool_mode = transaction in its configuration.",
    );
  }
  if (isRefusedOption(error)) {
    return refused(
      `The pooler at ${host}:${port} refuses a parameter of ${setting}: ${reason}.\n` +
        `Leave the parameter out of ${setting}, or allow it in the pooler (ignore_startup_parameters).`,
    );
  }
  if (/client password must be a string/i.test(reason)) {
    return refused(
      `The server at ${host}:${port} asks for a password, and ${setting} has none for "${user}".`,
    );
  }
  if (/does not support SSL/i.test(reason)) {
    return refused(
      `${setting} asks for an encrypted connection, which ${server} does not offer.\n` +
        `Leave out sslmode in ${setting}, or turn SSL on in the server.`,
    );
  }
  if (ENDED.test(reason)) {
    return new DatabaseUnavailableError(
      `${server} ended the connection before it answered: ${reason}.\n` +
        `If no PostgreSQL listens there, correct the host and the port in ${setting}; if it is starting, wait.`,
      { cause: error },
    );
  }
  if (UNREACHABLE.test(reason)) {
    return new DatabaseUnavailableError(
      `${server} can't be reached: ${reason}.\n` +
        `Start the server, or correct the host and the port in ${setting}.`,
      { cause: error },
    );
  }
  return error;
}

/** True if a pooler refuses a start-up parameter of a connection. */
export function isRefusedOption(error: unknown): boolean {
  return error instanceof Error && /unsupported startup parameter/i.test(error.message);
}

/** SQLSTATE of most refusals of PgBouncer, of which many concern the server behind it and pass. */
const POOLER_REFUSAL = "08P01";

/** The SQLSTATE that PostgreSQL has for what PgBouncer says, in English only; undefined for what passes. */
function stateOfRefusal(reason: string): string | undefined {
  if (/authentication failed|no such user/i.test(reason)) return "28P01";
  if (/no such database|database "[^"]*" does not exist/i.test(reason)) return "3D000";
  return undefined;
}

const UNAVAILABLE_PREFIX = /^The database is unavailable: /;
const ENDED = /\b(?:terminated unexpectedly|ECONNRESET|EPIPE)\b/i;
const UNREACHABLE = /\b(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)\b/;

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
