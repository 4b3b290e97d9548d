import type { ClientConfig } from "pg";
import { parse, toClientConfig } from "pg-connection-string";
import { DatabaseUnavailableError, sqlState } from "../connection/database-errors.ts";

/** Thrown for a URL that is not that of a PostgreSQL database. The message omits the URL, which may hold a password. */
export class DatabaseUrlError extends Error {
  override readonly name = "DatabaseUrlError";
  readonly code = "DATABASE_URL_INVALID";

  constructor(reason: string, options?: ErrorOptions) {
    super(
      `DATABASE_URL is not the URL of a PostgreSQL database: ${reason}.\n` +
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
export function readDatabaseUrl(url: string): ClientConfig {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1];
  if (scheme === undefined) throw new DatabaseUrlError('it does not begin with "postgres://"');
  if (!/^postgres(?:ql)?$/i.test(scheme)) {
    throw new DatabaseUrlError(`it begins with "${scheme}://" and not with "postgres://"`);
  }
  if (UNENCODED_PASSWORD.test(url)) {
    throw new DatabaseUrlError(
      "it has a character / ? or # that is not percent-encoded, probably in the password",
    );
  }
  try {
    return toClientConfig(parse(url, { useLibpqCompat: true }));
  } catch (cause) {
    // Parsing fails for a malformed host or port, an unencoded password, and unreadable certificate files.
    const isFile = cause instanceof Error && "syscall" in cause;
    throw new DatabaseUrlError(isFile ? cause.message : "its user, password, host or port can't be read", {
      cause,
    });
  }
}

/**
 * Turns the error of a first connection into an actionable one if the server can't be reached or refused the login or
 * the database; returns any other unchanged.
 */
export function explainRefusal(error: unknown, url: string): unknown {
  const { user = "", host = "", port = 5432, database = user } = readDatabaseUrl(url);
  const server = `the server at ${host}:${port}`;
  const reason = error instanceof Error ? error.message : String(error);
  const refused = (message: string) => new DatabaseRefusedError(message, error);
  switch (sqlState(error)) {
    case "28P01":
    case "28000":
      return refused(
        `The login "${user}" is refused by ${server}: ${reason}.\n` +
          "Correct the user and the password in DATABASE_URL, or let the login in (pg_hba.conf).",
      );
    case "3D000":
      return refused(
        `There is no database "${database}" on ${server}.\n` +
          `Correct the name at the end of DATABASE_URL, or create it: CREATE DATABASE ${quote(database ?? "")} OWNER ${quote(user)};`,
      );
    case "42501":
      return refused(
        `The login "${user}" may not connect to the database "${database}" on ${server}: ${reason}.\n` +
          `An administrator allows it: GRANT CONNECT ON DATABASE ${quote(database ?? "")} TO ${quote(user)};`,
      );
    default:
  }
  if (/client password must be a string/i.test(reason)) {
    return refused(
      `The server at ${host}:${port} asks for a password, and DATABASE_URL has none for "${user}".`,
    );
  }
  if (/does not support SSL/i.test(reason)) {
    return refused(
      `DATABASE_URL asks for an encrypted connection, which ${server} does not offer.\n` +
        "Leave out sslmode in DATABASE_URL, or turn SSL on in the server.",
    );
  }
  if (UNREACHABLE.test(reason)) {
    return new DatabaseUnavailableError(
      `${server} can't be reached: ${reason.replace(/^The database is unavailable: /, "")}.\n` +
        "Start the server, or correct the host and the port in DATABASE_URL.",
      { cause: error },
    );
  }
  return error;
}

const UNREACHABLE = /\b(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)\b/;

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
