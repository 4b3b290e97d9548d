import { type CapabilityRow, capabilityQuery } from "../connection/capabilities.ts";
import { DatabaseUnavailableError } from "../connection/database-errors.ts";
import { asLocalScript, asStartupOptions } from "../connection/session-settings.ts";
import { isRefusedOption } from "./database-url.ts";
import { type ConnectionOptions, withConnection } from "./server-connection.ts";

/** Description of the database at a URL. */
export interface ServerIdentity {
  readonly capabilities: CapabilityRow;
  /** True if a connection pooler is in between, such as PgBouncer. */
  readonly isPooled: boolean;
  /** True on a standby, which is read-only. */
  readonly isStandby: boolean;
  /** Equal for two URLs of the same database, also for one of a standby. */
  readonly database: string;
}

const IDENTITY = `
SELECT pg_is_in_recovery() AS standby,
       (SELECT system_identifier FROM pg_control_system())::text || ' '
         || (SELECT oid FROM pg_database WHERE datname = current_database())::text AS database`;

/**
 * Connects once and describes what answers.
 * @param settings of the session; a pooler that refuses start-up options gets them for the transaction only
 * @param limit maximum wait for each answer, in milliseconds
 */
export async function identifyServer(
  options: ConnectionOptions,
  settings: Readonly<Record<string, string>>,
  limit: number,
): Promise<ServerIdentity> {
  try {
    return await identify({ ...options, startupOptions: asStartupOptions(settings) }, settings, limit);
  } catch (error) {
    if (!isRefusedOption(error)) throw error;
    return identify(options, settings, limit);
  }
}

function identify(
  options: ConnectionOptions,
  settings: Readonly<Record<string, string>>,
  limit: number,
): Promise<ServerIdentity> {
  return withConnection(options, async (connection) => {
    const isPooled = await connection.isPooled(limit);
    await connection.script(`BEGIN; ${asLocalScript(settings)}`, limit);
    const ask = async <Row extends object>(text: string): Promise<Row> => {
      const { rows } = await connection.run<Row>({ text, parameters: [] }, limit);
      const [row] = rows;
      if (row === undefined) throw new DatabaseUnavailableError("it did not describe itself");
      return row;
    };
    const capabilities = await ask<CapabilityRow>(capabilityQuery);
    const { standby, database } = await ask<{ standby: boolean; database: string }>(IDENTITY);
    await connection.script("COMMIT", limit);
    return { capabilities, isPooled, isStandby: standby, database };
  });
}
