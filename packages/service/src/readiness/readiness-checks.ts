import { type ApplicationMigrations, type Database, SchemaNewerError } from "@synap/database";
import { isOwnMigration, NotWritableError, pendingMigrations, probeWrite } from "@synap/database/internal";
import { NotReadyError } from "./not-ready-error.ts";

/** How long the outcome of a write is taken for the present one, in milliseconds: anybody may ask, as often as they like. */
const WRITE_OUTCOME_MS = 5_000;

/** A dependency of a process and the check of its availability. */
export interface ReadinessCheck {
  readonly name: string;
  /** Resolves when it is available; otherwise rejects, with a NotReadyError if the fault has a specific code. */
  readonly check: () => Promise<void>;
}

/** The database answers. */
export function databaseCheck(database: Pick<Database, "query">): ReadinessCheck {
  return {
    name: "database",
    check: async () => {
      await database.query("SELECT 1 AS one");
    },
  };
}

/**
 * The database has every migration of this release and of the application, and none of a newer one: not so after a restore of
 * something older, or when the database behind the address is another one now.
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

/** The database can store something: its disk has room, and a commit goes through. Tried at most every 5 s. */
export function writeCheck(database: Pick<Database, "reads">): ReadinessCheck {
  const probe = async () => {
    // Not where writers wait for one another: a locked stream makes the database no less able to store.
    await probeWrite(database.reads).catch((cause: unknown) => {
      if (!(cause instanceof NotWritableError)) throw cause;
      throw new NotReadyError(cause.code === "DISK_FULL" ? "disk-full" : "read-only", { cause });
    });
  };
  return { name: "write", check: remembered(probe, WRITE_OUTCOME_MS) };
}

/** The same, but run at most once in so many milliseconds; those who ask meanwhile share the outcome. */
function remembered(run: () => Promise<void>, ms: number): () => Promise<void> {
  let last: { readonly outcome: Promise<void>; readonly at: number } | undefined;
  return () => {
    if (last === undefined || performance.now() - last.at >= ms) {
      last = { outcome: run(), at: performance.now() };
    }
    return last.outcome;
  };
}
