import { DatabaseUnavailableError, type SqlSession } from "@synap/database";
import { takenStreams, withTimeLimit } from "@synap/database/internal";
import type { SynapEvent } from "@synap/types";
import type { Principal } from "../identity/principal.ts";
import { visibilityOf } from "../identity/visibility.ts";

/** An event of a sender. */
export interface SentEvent {
  readonly event: SynapEvent;
  /** False if its id was made for it, in this process. */
  readonly isIdentified: boolean;
}

/**
 * Finds the streams of a sender's events that exist and that he may not change, as keys of `streamKey`.
 *
 * @throws DatabaseUnavailableError if they can't be looked up
 */
export type TakenLookup = (sender: Principal, events: readonly SentEvent[]) => Promise<ReadonlySet<string>>;

/** Time limit of a look-up, in milliseconds. */
const PATIENCE_MS = 2_000;
const NONE: ReadonlySet<string> = new Set();

/** Creates a look-up of the streams that a user may not publish to: those of others. Other senders may publish to all. */
export function createTakenLookup(session: SqlSession): TakenLookup {
  return async (sender, sent) => {
    const visibility = visibilityOf(sender);
    const isLimited = sender.kind === "user" && !sender.scopes.has("act-for-others");
    if (!isLimited || "all" in visibility) return NONE;
    const events = sent.filter(mayReachAnother).map(({ event }) => event);
    if (events.length === 0) return NONE;
    return withTimeLimit(takenStreams(session, visibility, events), PATIENCE_MS, () => {
      throw new DatabaseUnavailableError(`no answer within ${PATIENCE_MS} ms`);
    });
  };
}

/**
 * False for an event that begins the stream of an id made for it: nobody else has that. An id that the sender chose can be the name of
 * anybody's stream.
 */
function mayReachAnother({ event: { id, aggregateId }, isIdentified }: SentEvent): boolean {
  return isIdentified || id !== aggregateId;
}
