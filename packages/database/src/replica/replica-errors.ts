/** Thrown when the database at DATABASE_REPLICA_URL is another one than that at DATABASE_URL. */
export class ReplicaUrlError extends Error {
  override readonly name = "ReplicaUrlError";
  readonly code = "DATABASE_REPLICA_URL_INVALID";

  constructor() {
    super(
      "DATABASE_REPLICA_URL is that of another database than DATABASE_URL.\n" +
        "Set it to a physical streaming replica of the server at DATABASE_URL, with the same name of the database, or leave it out.",
    );
  }
}
