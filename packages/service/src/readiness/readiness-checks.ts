import { type ApplicationMigrations, type Database, SchemaNewerError } from "@synap/database";
import { isOwnMigration, NotWritableError, pendingMigrations, probeWrite } from "@synap/database/internal";
import { NotReadyError } from "./not-ready-error.ts";

/** Time for which the result of a write check is reused, in milliseconds, because anybody may call the probe at any rate. */
const WRITE_RESULT_TTL_MS = 5_000;

/** A dependency of a process and the check of its availability. */
export interface ReadinessCheck {
  readonly name: string;
  /** Resolves if the dependency is available; otherwise rejects, with a NotReadyError if the fault has a specific code. */
  readonly check: () => Promise<void>;
}

/** Checks that the database answers. */
export function databaseCheck(database: Pick<Database, "query">): ReadinessCheck {
  return {
    name: "database",
    check: async () => {
      await database.query("SELECT 1 AS one");
    },
  };
}

/**
 * Checks that the database has every migration of this release and of the application, and none of a newer release. It may
 * not after an older backup was restored, or when the address leads to another database.
 */
export function migrationsCheck(
  database: Database,
  applications: readonly ApplicationMigrations[],
): ReadinessCheck {
  return {
    name: "migrations",
    check: async () => {
      const pending = await pendingMigrations(database, { applications }).catch((cause: unknown) => {
        throw cause instanceof SchemaNewerError ? new NotReadyError("schema-newer", { cause }) : cause;
      });
      if (pending.length === 0) return;
      const names = pending.map(({ ledger, name }) => `${ledger}/${name}`).join(", ");
      const code = pending.some(isOwnMigration) ? "migrations-pending" : "application-migrations-pending";
      throw new NotReadyError(code, { cause: new Error(`not applied: ${names}`) });
    },
  };
}

/** Checks that the database can write: its disk is not full, and a commit succeeds. Runs at most every 5 s. */
export function writeCheck(database: Pick<Database, "reads">): ReadinessCheck {
  const probe = async () => {
    // On the connections for reads, because writers may wait for a locked stream, which is no fault of the database.
    await probeWrite(database.reads).catch((cause: unknown) => {
      if (!(cause instanceof NotWritableError)) throw cause;
      throw new NotReadyError(cause.code === "DISK_FULL" ? "disk-full" : "read-only", { cause });
    });
  };
  return { name: "write", check: cached(probe, WRITE_RESULT_TTL_MS) };
}

/** Wraps a function so that it runs at most once in `ms` milliseconds. Calls in between share its result. */
function cached(run: () => Promise<void>, ms: number): () => Promise<void> {
  let last: { readonly outcome: Promise<void>; readonly at: number } | undefined;
  return () => {
    if (last === undefined || performance.now() - last.at >= ms) {
      last = { outcome: run(), at: performance.now() };
    }
    return last.outcome;
  };
}
