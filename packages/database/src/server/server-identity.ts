import { type CapabilityRow, capabilityQuery } from "../connection/capabilities.ts";
import { DatabaseUnavailableError } from "../connection/database-errors.ts";
import { asLocalScript, asStartupOptions } from "../connection/session-settings.ts";
import { isRefusedOption } from "./database-url.ts";
import { type ConnectionOptions, type ServerConnection, withConnection } from "./server-connection.ts";

/** The server that answers at a URL. */
export interface ServerIdentity {
  readonly capabilities: CapabilityRow;
  /** True if a connection pooler is in between, such as PgBouncer. */
  readonly isPooled: boolean;
}

/** A database of a server, to be compared with that at another URL. */
export interface DatabaseIdentity {
  /** True on a standby, which is read-only. */
  readonly isStandby: boolean;
  /** Equal for two URLs of the same database, also for one of a standby. */
  readonly database: string;
}

interface IdentityRow {
  readonly standby: boolean;
  readonly database: string;
}

const IDENTITY = `
SELECT pg_is_in_recovery() AS standby,
       (SELECT system_identifier FROM pg_control_system())::text || ' '
         || (SELECT oid FROM pg_database WHERE datname = current_database())::text AS database`;

/** A connection to describe, with the settings of its session and the maximum wait for each answer in milliseconds. */
export interface DescribedConnection extends ConnectionOptions {
  readonly settings: Readonly<Record<string, string>>;
  readonly limit: number;
}

/** Connects once and describes what answers. */
export function identifyServer(options: DescribedConnection): Promise<ServerIdentity> {
  return withSettings(options, async (connection) => ({
    isPooled: await connection.isPooled(options.limit),
    capabilities: await ask<CapabilityRow>(connection, capabilityQuery, options.limit),
  }));
}

/** Connects once and says which database answers. */
export function identifyDatabase(options: DescribedConnection): Promise<DatabaseIdentity> {
  return withSettings(options, async (connection) => {
    const { standby, database } = await ask<IdentityRow>(connection, IDENTITY, options.limit);
    return { isStandby: standby, database };
  });
}

/** Runs work in a transaction with the settings, which a pooler that refuses start-up options gets for the transaction only. */
async function withSettings<T>(
  options: DescribedConnection,
  work: (connection: ServerConnection) => Promise<T>,
): Promise<T> {
  const { settings, limit } = options;
  const inTransaction = async (connection: ServerConnection): Promise<T> => {
    await connection.script(`BEGIN; ${asLocalScript(settings)}`, limit);
    const result = await work(connection);
    await connection.script("COMMIT", limit);
    return result;
  };
  try {
    return await withConnection({ ...options, startupOptions: asStartupOptions(settings) }, inTransaction);
  } catch (error) {
    if (!isRefusedOption(error)) throw error;
    return withConnection(options, inTransaction);
  }
}

async function ask<Row extends object>(
  connection: ServerConnection,
  text: string,
  limit: number,
): Promise<Row> {
  const { rows } = await connection.run<Row>({ text, parameters: [] }, limit);
  const [row] = rows;
  if (row === undefined) throw new DatabaseUnavailableError("it did not describe itself");
  return row;
}
