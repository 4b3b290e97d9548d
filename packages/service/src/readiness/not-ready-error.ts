/** The faults that a readiness check can find, each with its public message. */
export const READINESS_FAULTS = {
  "database-unavailable": "The database does not answer.",
  "migrations-pending": "The database lacks migrations of this release.",
  "application-migrations-pending": "The database lacks migrations of the application.",
  "schema-newer": "The database has been migrated by a newer release.",
  "disk-full": "The database's disk is full.",
  "read-only":
    "The database accepts no writes: it is a standby or set to read-only, or TimescaleDB is restoring.",
  "broker-unreachable": "The broker does not answer.",
  "broker-failing": "The broker answers with an internal error.",
  "functions-not-registered": "No worker has registered its functions with the broker yet.",
  "not-registered": "This worker has not registered its functions with the broker yet.",
  "broker-key-missing":
    "INNGEST_EVENT_KEY is not set, and INNGEST_DEV does not say that this is a development server.",
  "too-slow": "The check took too long.",
} as const;

/** The stable name of a readiness fault, for programs. */
export type ReadinessFault = keyof typeof READINESS_FAULTS;

/**
 * Thrown when a dependency of a process is unavailable. The message is public. Details for operators, such as host names
 * and migrations, are in the cause, for the log.
 */
export class NotReadyError extends Error {
  override readonly name = "NotReadyError";
  readonly code: ReadinessFault;

  constructor(code: ReadinessFault, options?: ErrorOptions) {
    super(READINESS_FAULTS[code], options);
    this.code = code;
  }
}
