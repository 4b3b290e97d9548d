import type { Database } from "@synap/database";
import { sqlState } from "@synap/database/internal";
import { commandOf } from "@synap/service/called-as";
import { EXIT, ExitError } from "@synap/service/exit-codes";
import { warnOfUnknownSettings } from "../terminal/command.ts";
import { withDatabase } from "./with-database.ts";

/** SQLSTATEs of what a migration would have made: undefined_table, undefined_function, invalid_schema_name. */
const NOT_MIGRATED: ReadonlySet<string> = new Set(["42P01", "42883", "3F000"]);

/**
 * Works with a table or function of the database as {@link withDatabase} does, for a command that does not migrate.
 *
 * @param what what it holds or does, for people
 * @throws DataDirectoryError; ExitError where it is missing
 */
export async function withMigratedDatabase(
  dataDirectory: string,
  what: string,
  work: (database: Database) => Promise<void>,
): Promise<void> {
  warnOfUnknownSettings();
  await withDatabase(dataDirectory, async (database) => {
    await work(database).catch((cause: unknown) => {
      if (!NOT_MIGRATED.has(sqlState(cause) ?? "")) throw cause;
      const cure = `Run ${commandOf("migrate")}, or ${commandOf("start")} with an embedded database.`;
      throw new ExitError(EXIT.failed, `The database has no ${what} yet. ${cure}`, { cause });
    });
  });
}
