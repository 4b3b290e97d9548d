import type { EventCatalogue } from "@synap/types";
import type { Database } from "../connection/sql-session.ts";
import { publishEventTypes } from "../registered-types/publish-event-types.ts";
import { refuseConflicts } from "../registered-types/take-over.ts";
import { RELEASE } from "../release.ts";

export interface SyncEventTypesOptions {
  /** Recorded with each changed type. Default: the release of this package. */
  readonly release?: string | undefined;
}

/**
 * Writes the catalogue's event types into `synap.event_types`, where the SQL API reads them, with the plan by which it checks their
 * data. A type whose schema the database can't check is marked with the reason. Call it after `migrate`.
 *
 * Idempotent: only changed types are written. A type with a newer version is kept: this process will be updated. Types that this catalogue does not contain are kept, because another
 * process may use them; to remove one, delete its row as the owner.
 *
 * A type that was registered at run time and is in the code now is that of the code from here on, if events of it can be read with the code.
 *
 * @returns the names of the types that were new or had changed.
 * @throws DatabaseUnavailableError, RegisteredTypeConflictError
 */
export async function syncEventTypes(
  database: Database,
  catalogue: EventCatalogue,
  options: SyncEventTypesOptions = {},
): Promise<string[]> {
  const from = { release: options.release ?? RELEASE, isRegistered: false };
  return await database.transaction(async (transaction) => {
    // First, so that a registration at the same time waits, or is seen by the comparison.
    const published = await publishEventTypes(transaction, catalogue.types, from);
    await refuseConflicts(transaction, catalogue.types);
    return published;
  });
}
