import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { RELEASE } from "../release.ts";
import { MigrationFolderMissingError, MigrationLedgerInvalidError } from "./migration-errors.ts";
import {
  type MigrationFile,
  orderMigrationFiles,
  readMigrationFiles,
  SQL_DIRECTORY,
  type SqlFiles,
} from "./migration-files.ts";
import { OWN_LEDGER } from "./migration-ledger.ts";

/** An application's own SQL files, recorded in a separate ledger. */
export type ApplicationMigrations = ApplicationLedger &
  (
    | {
        /** The folder of the files: numbered ones, and `functions/` and `views/` beside them. */
        readonly folder: URL | string;
      }
    | {
        /** The files by name, for bundled code without a folder: `{ "0001_orders.sql": "CREATE TABLE ..." }`. */
        readonly files: SqlFiles;
      }
  );

interface ApplicationLedger {
  /** Name of the ledger, which must never change: lower case letters, digits, `-` and `_`. */
  readonly ledger: string;
  /** The application's release, `1.2.3`: an earlier one doesn't undo the functions of a later one. Default "0.0.0". */
  readonly release?: string | undefined;
}

/** The SQL files of a database. */
export interface MigrationSources {
  /** The folder of this package's SQL files. Default: its `sql/`. */
  readonly directory?: string | undefined;
  /** Applied after the files of this package, in this order. */
  readonly applications?: readonly ApplicationMigrations[] | undefined;
  /** Recorded with each migration. Default: the release of this package. */
  readonly release?: string | undefined;
}

/** The files of one ledger. */
export interface Ledger {
  readonly name: string;
  readonly release: string;
  readonly files: readonly MigrationFile[];
}

/**
 * Reads the files of this package and of the applications, in the order in which they are applied.
 *
 * @throws MigrationLedgerInvalidError, MigrationFolderMissingError, MigrationFileInvalidError
 */
export async function readLedgers(
  sources: MigrationSources,
  readFiles: (directory: string) => Promise<MigrationFile[]> = readMigrationFiles,
): Promise<Ledger[]> {
  const ledgers: Ledger[] = [
    {
      name: OWN_LEDGER,
      release: sources.release ?? RELEASE,
      files: await readFiles(sources.directory ?? SQL_DIRECTORY),
    },
  ];
  for (const application of sources.applications ?? []) {
    const { ledger, release = "0.0.0" } = application;
    if (!/^[a-z][a-z0-9_-]*$/.test(ledger) || ledgers.some(({ name }) => name === ledger)) {
      throw new MigrationLedgerInvalidError(ledger);
    }
    ledgers.push({ name: ledger, release, files: await filesOf(application, readFiles) });
  }
  return ledgers;
}

async function filesOf(
  application: ApplicationMigrations,
  readFiles: (directory: string) => Promise<MigrationFile[]>,
): Promise<readonly MigrationFile[]> {
  if ("files" in application) return orderMigrationFiles(application.files);
  const { folder, ledger } = application;
  const directory = typeof folder === "string" ? folder : fileURLToPath(folder);
  if (!existsSync(directory)) throw new MigrationFolderMissingError(ledger, directory);
  return readFiles(directory);
}
