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

/** The database was migrated by a newer release than this one, which doesn't know what has changed since. */
export class SchemaNewerError extends Error {
  override readonly name = "SchemaNewerError";
  readonly code = "SCHEMA_NEWER";
  readonly migration: string;
  /** The release that applied it. */
  readonly release: string;

  constructor(migration: string, release: string) {
    super(
      `This database is from a newer release (${release}): it has the migration ${migration}, unknown here. Start that release or a later one.`,
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
