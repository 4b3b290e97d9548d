import type { Database } from "@synap/database";
import { sqlState } from "@synap/database/internal";
import { commandOf } from "@synap/service/called-as";
import { EXIT, ExitError } from "@synap/service/exit-codes";
import { warnOfUnknownSettings } from "../terminal/command.ts";
import { withDatabase } from "./with-database.ts";

/** SQLSTATE undefined_table. */
const UNDEFINED_TABLE = "42P01";

/**
 * Works with a table of the database as {@link withDatabase} does, for a command that does not migrate.
 *
 * @param what what the table holds, for people
 * @throws DataDirectoryError; ExitError where the table is missing
 */
export async function withMigratedDatabase(
  dataDirectory: string,
  what: string,
  work: (database: Database) => Promise<void>,
): Promise<void> {
  warnOfUnknownSettings();
  await withDatabase(dataDirectory, async (database) => {
    await work(database).catch((cause: unknown) => {
      if (sqlState(cause) !== UNDEFINED_TABLE) throw cause;
      const cure = `Run ${commandOf("migrate")}, or ${commandOf("start")} with an embedded database.`;
      throw new ExitError(EXIT.failed, `The database has no ${what} yet. ${cure}`, { cause });
    });
  });
}
