import type { Database } from "@synap/database";
import type { IEventHandler } from "../handler/event-handler.ts";
import type { Projections } from "../projection-builds/projections.ts";
import type { ProjectionRegistry } from "../projections/projection-registry.ts";
import { forgetEvents } from "./forget-events.ts";
import { type OpenPurge, replaceBuilds } from "./replace-builds.ts";

const OPEN = `
SELECT id, last_build, to_jsonb(event_types) AS event_types
  FROM synap.purges
 WHERE removed_at IS NOT NULL AND finished_at IS NULL`;

const FINISH = "UPDATE synap.purges SET finished_at = now() WHERE id = $1 AND finished_at IS NULL";

/** The handlers and projections of a process, which may have copied events. */
export interface CopyHolders {
  readonly handlers: readonly IEventHandler[];
  readonly registry: ProjectionRegistry;
  readonly projections: Projections;
}

/**
 * Takes the next step to remove the copies of purged events from what handlers and projections have written. A purge is finished when
 * the handlers of this process have forgotten its events, and no build of a projection of its time is left.
 *
 * Can run in several workers at once: each change is a transaction that begins from what it finds.
 *
 * @throws the first failure of a handler, after everything else was done
 */
export async function removeCopies(
  database: Database,
  { handlers, registry, projections }: CopyHolders,
): Promise<void> {
  const failures: unknown[] = [];
  for (const handler of handlers) {
    await forgetEvents(database, handler).catch((error: unknown) => failures.push(error));
  }
  const open = await database.query<OpenPurge>(OPEN);
  const replaced = open.length === 0 ? [] : await replaceBuilds(database, registry, projections, open);
  if (failures.length > 0) throw failures[0];
  for (const { id } of replaced) await database.query(FINISH, [id]);
}
