/** A migration that was applied already has been edited since. Shipped files stay as they are: add a new one. */
export class MigrationChangedError extends Error {
  override readonly name = "MigrationChangedError";
  readonly code = "MIGRATION_CHANGED";
  readonly migration: string;

  constructor(migration: string) {
    super(`The migration ${migration} was changed after it had been applied. Add a new migration instead.`);
    this.migration = migration;
  }
}

/** A numbered file is pending whose number is below one that was applied already. It was numbered before others were merged. */
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

/** A SQL file that can't be applied as it is: the wrong name, or another content than its folder asks for. */
export class MigrationFileInvalidError extends Error {
  override readonly name = "MigrationFileInvalidError";
  readonly code = "MIGRATION_FILE_INVALID";
  readonly migration: string;

  constructor(migration: string, reason: string) {
    super(`The SQL file ${migration} can't be applied: ${reason}.`);
    this.migration = migration;
  }
}

/** The name of an application's ledger is taken, or holds something else than small letters, digits, `-` and `_`. */
export class MigrationLedgerInvalidError extends Error {
  override readonly name = "MigrationLedgerInvalidError";
  readonly code = "MIGRATION_LEDGER_INVALID";
  readonly ledger: string;

  constructor(ledger: string) {
    super(
      `"${ledger}" can't name a ledger of migrations. Each application's own is a name such as "shop", used by no other: small letters, digits, "-" and "_", not "synap".`,
    );
    this.ledger = ledger;
  }
}

/** The folder of an application's SQL files doesn't exist. */
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

/** A function or a view was given other arguments, results or columns, and can't be replaced: the old one has to be dropped. */
export class SignatureChangedError extends Error {
  override readonly name = "SignatureChangedError";
  readonly code = "SIGNATURE_CHANGED";
  readonly migration: string;
  /** Drops what the database has, one statement each. */
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

/** The database was migrated by a newer release than this one, which doesn't know what has changed since. */
export class SchemaNewerError extends Error {
  override readonly name = "SchemaNewerError";
  readonly code = "SCHEMA_NEWER";
  readonly migration: string;
  /** The release that applied it. */
  readonly release: string;

  constructor(migration: string, release: string) {
    super(
      `This database is from a newer release (${release}): it has ${migration}, which this release has not or has otherwise. Start that release or a later one.`,
    );
    this.migration = migration;
    this.release = release;
  }
}

/** The server can't offer TimescaleDB, without which there is no event store. */
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

/** A migration failed and was undone; the ones before it stay. The database's own error is the cause. */
export class MigrationFailedError extends Error {
  override readonly name = "MigrationFailedError";
  readonly code = "MIGRATION_FAILED";
  readonly migration: string;

  constructor(migration: string, options: { cause: unknown }) {
    const reason = options.cause instanceof Error ? options.cause.message : String(options.cause);
    super(`The migration ${migration} failed and was undone: ${reason}`, options);
    this.migration = migration;
  }
}

/** The login lacks rights, and an administrator has to give them. */
export class PrivilegesMissingError extends Error {
  override readonly name = "PrivilegesMissingError";
  readonly code = "PRIVILEGES_MISSING";
  readonly login: string;
  /** What an administrator runs in this database, one statement each. */
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
