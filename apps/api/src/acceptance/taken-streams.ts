import { DatabaseUnavailableError, type SqlSession } from "@synap/database";
import { takenStreams, withTimeLimit } from "@synap/database/internal";
import type { SynapEvent } from "@synap/types";
import type { Principal } from "../identity/principal.ts";
import { visibilityOf } from "../identity/visibility.ts";

/**
 * Finds the streams of a sender's events that exist and that he may not change, as keys of `streamKey`.
 *
 * @throws DatabaseUnavailableError if they can't be looked up, unless each event begins the stream of its own id
 */
export type TakenLookup = (sender: Principal, events: readonly SynapEvent[]) => Promise<ReadonlySet<string>>;

/** Time limit of a look-up, in milliseconds. */
const PATIENCE_MS = 2_000;
const NONE: ReadonlySet<string> = new Set();

/** Creates a look-up of the streams that a user may not publish to: those of others. Other senders may publish to all. */
export function createTakenLookup(session: SqlSession): TakenLookup {
  return async (sender, events) => {
    const visibility = visibilityOf(sender);
    const isLimited = sender.kind === "user" && !sender.scopes.has("act-for-others");
    if (!isLimited || "all" in visibility || events.length === 0) return NONE;
    try {
      return await withTimeLimit(takenStreams(session, visibility, events), PATIENCE_MS, () => {
        throw new DatabaseUnavailableError(`no answer within ${PATIENCE_MS} ms`);
      });
    } catch (error) {
      // Events are accepted while the database is away, and hardly anybody else has a stream of a new event's id.
      if (events.every(({ id, aggregateId }) => id === aggregateId)) return NONE;
      throw error;
    }
  };
}
