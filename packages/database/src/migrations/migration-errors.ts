/** Thrown when the file of an applied migration has been edited, renamed or removed. Add a new file instead. */
export class MigrationChangedError extends Error {
  override readonly name = "MigrationChangedError";
  readonly code = "MIGRATION_CHANGED";
  readonly migration: string;

  constructor(migration: string, isMissing: boolean) {
    super(
      isMissing
        ? `The migration ${migration} was applied, and there is no such file. Restore it, or start the version that has it.`
        : `The migration ${migration} was changed after it had been applied. Restore it, and add a new migration instead.`,
    );
    this.migration = migration;
  }
}

/** Thrown when a pending file has a number below an applied one, as after a merge. */
export class MigrationOutOfOrderError extends Error {
  override readonly name = "MigrationOutOfOrderError";
  readonly code = "MIGRATION_OUT_OF_ORDER";
  readonly migration: string;
  /** The highest that was applied. */
  readonly applied: string;

  constructor(migration: string, applied: string) {
    const next = String(Number(applied.slice(0, 4)) + 1).padStart(4, "0");
    super(
      `The migration ${migration} is not applied, but ${applied} is: other databases would apply them in another order. Rename it to a number above all others, ${next} or higher.`,
    );
    this.migration = migration;
    this.applied = applied;
  }
}

/** Thrown for a SQL file with an invalid name, or with content that its folder doesn't allow. */
export class MigrationFileInvalidError extends Error {
  override readonly name = "MigrationFileInvalidError";
  readonly code = "MIGRATION_FILE_INVALID";
  readonly migration: string;

  constructor(migration: string, reason: string) {
    super(`The SQL file ${migration} can't be applied: ${reason}.`);
    this.migration = migration;
  }
}

/** Thrown when the name of an application's ledger is taken or invalid. */
export class MigrationLedgerInvalidError extends Error {
  override readonly name = "MigrationLedgerInvalidError";
  readonly code = "MIGRATION_LEDGER_INVALID";
  readonly ledger: string;

  constructor(ledger: string) {
    super(
      `"${ledger}" is not a valid name for a ledger of migrations. Use a name such as "shop" that no other ledger has: lower case letters, digits, "-" and "_", but not "synap".`,
    );
    this.ledger = ledger;
  }
}

/** Thrown when the folder of an application's SQL files doesn't exist. */
export class MigrationFolderMissingError extends Error {
  override readonly name = "MigrationFolderMissingError";
  readonly code = "MIGRATION_FOLDER_MISSING";
  readonly ledger: string;

  constructor(ledger: string, folder: string) {
    super(
      `The migrations "${ledger}" have no folder ${folder}. Name the folder of the SQL files, or give the files themselves ` +
        "as { files } where the code is bundled.",
    );
    this.ledger = ledger;
  }
}

/** Thrown when the signature of a function or the columns of a view have changed, so that the old one has to be dropped. */
export class SignatureChangedError extends Error {
  override readonly name = "SignatureChangedError";
  readonly code = "SIGNATURE_CHANGED";
  readonly migration: string;
  /** The statements that drop the old objects, one each. */
  readonly statements: readonly string[];

  constructor(migration: string, statements: readonly string[], options?: ErrorOptions) {
    super(
      `${migration} changes arguments, results or columns, and so can't replace what the database has. Add a numbered file with: ${statements.map((each) => `${each};`).join(" ")} Functions and views are applied again after it.${options?.cause instanceof Error ? ` The database said: ${options.cause.message}` : ""}`,
      options,
    );
    this.migration = migration;
    this.statements = statements;
  }
}

/** Thrown when a newer release has migrated the database. */
export class SchemaNewerError extends Error {
  override readonly name = "SchemaNewerError";
  readonly code = "SCHEMA_NEWER";
  readonly migration: string;
  /** The release that applied it. */
  readonly release: string;

  constructor(migration: string, release: string) {
    super(
      `This database was migrated by a newer release (${release}): ${migration} is missing in this release or differs. Start that release or a later one.`,
    );
    this.migration = migration;
    this.release = release;
  }
}

/** Thrown when the server lacks TimescaleDB, which the event store requires. */
export class TimescaledbMissingError extends Error {
  override readonly name = "TimescaledbMissingError";
  readonly code = "TIMESCALEDB_MISSING";

  constructor(reason: string, options?: ErrorOptions) {
    super(
      `Synap needs the TimescaleDB extension (either edition): ${reason}. Install it on the server, add it to shared_preload_libraries, and restart the server.`,
      options,
    );
  }
}

/** Thrown when a migration failed and was rolled back; earlier ones stay applied. The database's error is the cause. */
export class MigrationFailedError extends Error {
  override readonly name = "MigrationFailedError";
  readonly code = "MIGRATION_FAILED";
  readonly migration: string;
  /** The line of the file at which it failed, from 1; undefined if the database named no place in it. */
  readonly line: number | undefined;

  /** @param migration the file's name; that of an application's file begins with its ledger: `shop/0001_orders.sql` */
  constructor(
    migration: string,
    { cause, line }: { readonly cause: unknown; readonly line?: number | undefined },
  ) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const place = line === undefined ? migration : `${migration}, line ${line},`;
    super(`The migration ${place} failed and was rolled back: ${reason}`, { cause });
    this.migration = migration;
    this.line = line;
  }
}

/** Thrown when the login lacks rights that an administrator has to grant. */
export class PrivilegesMissingError extends Error {
  override readonly name = "PrivilegesMissingError";
  readonly code = "PRIVILEGES_MISSING";
  readonly login: string;
  /** The statements that an administrator runs in this database, one each. */
  readonly statements: readonly string[];

  constructor(login: string, reason: string, statements: readonly string[], options?: ErrorOptions) {
    super(
      `The login "${login}" ${reason}. An administrator runs in this database: ${statements.map((each) => `${each};`).join(" ")}`,
      options,
    );
    this.login = login;
    this.statements = statements;
  }
}
