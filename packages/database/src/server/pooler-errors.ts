/** Thrown when DATABASE_URL leads through a connection pooler and no URL of the server itself is given. */
export class DirectUrlMissingError extends Error {
  override readonly name = "DirectUrlMissingError";
  readonly code = "DATABASE_DIRECT_URL_MISSING";

  constructor() {
    super(
      "DATABASE_URL leads through a connection pooler (PgBouncer or a similar one). LISTEN, migrations and other work as the owner " +
        "of the schema need sessions of their own, which it does not give.\n" +
        "Set DATABASE_DIRECT_URL to the same database at the server itself, past the pooler: one connection of each process stays " +
        "there, everything else goes through the pooler.",
    );
  }
}

/** Thrown when the database at DATABASE_DIRECT_URL can't do what it is for. */
export class DirectUrlError extends Error {
  override readonly name = "DirectUrlError";
  readonly code = "DATABASE_DIRECT_URL_INVALID";

  constructor(reason: "pooled" | "standby" | "another database") {
    super(`${REASONS[reason]}\nSet it to the same database as DATABASE_URL, at the primary itself.`);
  }
}

const REASONS = {
  pooled: "DATABASE_DIRECT_URL leads through a connection pooler, too.",
  standby: "DATABASE_DIRECT_URL is that of a standby, which is read-only.",
  "another database": "DATABASE_DIRECT_URL is that of another database than DATABASE_URL.",
};
