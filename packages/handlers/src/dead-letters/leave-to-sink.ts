import type { Database } from "@synap/database";
import type { StoredEvent } from "@synap/types";
import { parkEvents, releaseStream } from "../dispatch/held-streams.ts";
import { lockOpen } from "./open-dead-letter.ts";

const RETRIED = `
UPDATE synap.dead_letters
   SET status = 'retried', resolved_at = now(), resolved_by = $2, resolution = $3, attempts = attempts + 1
 WHERE id = $1`;

/**
 * Leaves the retry of a sink's dead letter to the process that runs the sink: its event is parked before those that wait behind it. If it fails
 * there, the dead letter is open again.
 *
 * @throws DeadLetterNotFoundError, DeadLetterResolvedError
 */
export async function leaveToSink(
  database: Database,
  { id, handler, event }: { readonly id: number; readonly handler: string; readonly event: StoredEvent },
  { by, reason }: { readonly by: string; readonly reason?: string | undefined },
): Promise<void> {
  await database.transaction(async (transaction) => {
    await lockOpen(transaction, id);
    await parkEvents(transaction, handler, [event]);
    await transaction.query(RETRIED, [id, by, reason ?? null]);
    await releaseStream(transaction, id);
  });
}
