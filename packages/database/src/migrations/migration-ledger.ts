import type { SqlSession } from "../connection/sql-session.ts";
import { MigrationChangedError, MigrationOutOfOrderError, SchemaNewerError } from "./migration-errors.ts";
import type { MigrationFile } from "./migration-files.ts";

/** Name of the ledger that holds the files of this package. */
export const OWN_LEDGER = "synap";

/** A row of `synap.migrations`: a file that was applied. */
export interface AppliedFile {
  readonly name: string;
  /** The checksum of the applied text; empty when the file has to be applied again. */
  readonly checksum: string;
  readonly release: string;
  /** The object that the file defines, `FUNCTION schema.name`; null for a numbered file. */
  readonly object: string | null;
}

/** A file's name for messages: that of an application's file begins with its ledger. */
export function nameInMessages(ledger: string, name: string): string {
  return ledger === OWN_LEDGER ? name : `${ledger}/${name}`;
}

/** Reads the applied files of a ledger, in the order of their names. */
export function readLedger(session: SqlSession, ledger: string): Promise<AppliedFile[]> {
  return session.query<AppliedFile>(
    `SELECT name, checksum, release, object FROM synap.migrations WHERE ledger = $1 ORDER BY name COLLATE "C"`,
    [ledger],
  );
}

/** The files of a release that a ledger lacks. */
export interface PendingFiles {
  readonly numbered: readonly MigrationFile[];
  /** Functions and views whose text has changed, each after those that it names. */
  readonly definitions: readonly MigrationFile[];
  /** Applied functions and views whose files are gone. */
  readonly dropped: readonly AppliedFile[];
}

/**
 * Compares a release's files with the applied ones.
 *
 * @throws SchemaNewerError, MigrationChangedError, MigrationOutOfOrderError
 */
export function findPending(
  ledger: string,
  files: readonly MigrationFile[],
  applied: readonly AppliedFile[],
  release: string,
): PendingFiles {
  const known = new Map(files.map((file) => [file.name, file]));
  const rows = new Map(applied.map((row) => [row.name, row]));
  const isNumbered = (row: AppliedFile) => row.object === null;
  for (const row of applied) {
    const file = known.get(row.name);
    if (file?.checksum === row.checksum) continue;
    const name = nameInMessages(ledger, row.name);
    const isMissing = file === undefined;
    const isNewer = isNumbered(row)
      ? isMissing && (ledger === OWN_LEDGER || isLater(row.release, release))
      : isLater(row.release, release);
    if (isNewer) throw new SchemaNewerError(name, row.release);
    if (isNumbered(row)) throw new MigrationChangedError(name, isMissing);
  }

  const numbered = files.filter((file) => file.object === undefined && !rows.has(file.name));
  const highest = applied.filter(isNumbered).at(-1);
  const [first] = numbered;
  if (first !== undefined && highest !== undefined && first.name < highest.name) {
    throw new MigrationOutOfOrderError(first.name, highest.name);
  }
  return {
    numbered,
    definitions: files.filter(
      (file) => file.object !== undefined && rows.get(file.name)?.checksum !== file.checksum,
    ),
    dropped: applied.filter((row) => !isNumbered(row) && !known.has(row.name)),
  };
}

/** True if one release (`1.2.3`) is later than another. */
function isLater(one: string, other: string): boolean {
  return one.localeCompare(other, "en", { numeric: true }) > 0;
}
