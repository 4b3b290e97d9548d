import { counted } from "@synap/types/internal";
import type { Database } from "../connection/sql-session.ts";
import { type PurgePlan, planPurge } from "../purge/plan-purge.ts";
import {
  continuePurge,
  NoPurgeToContinueError,
  type Purge,
  PurgeUnfinishedError,
  purgeEvents,
} from "../purge/purge-events.ts";
import { type RetentionPolicy, retentionPolicies } from "./retention-policies.ts";

const DAY_MS = 86_400_000;

/** The expired events of a type. */
export interface ExpiredEvents extends PurgePlan {
  readonly type: string;
  /** The events that happened before this moment are expired, RFC 3339. */
  readonly before: string;
}

/** The events of a type that were removed, and their purge. */
export interface RemovedEvents extends Purge {
  readonly type: string;
}

/** A run of the policies. */
export interface RetentionRun {
  /** The actor, as in `createdBy` of an event. */
  readonly by: string;
  /** Default: the current time of this machine. */
  readonly now?: Date;
  /** Called after each transaction with the number of events of the type that were removed so far. */
  readonly onProgress?: (type: string, removed: number) => void;
}

/** Counts the events that `applyRetention` would remove now, for each policy. Changes nothing. */
export async function planRetention(database: Database, now = new Date()): Promise<ExpiredEvents[]> {
  // Holds are for the owner to read.
  return database.asOwner(async (owner) => {
    const plans: ExpiredEvents[] = [];
    for (const policy of await retentionPolicies(owner)) {
      const { type, before } = expiryOf(policy, now);
      plans.push({ type, before, ...(await planPurge(owner, { expired: { type, before } })) });
    }
    return plans;
  });
}

/**
 * Removes the events that have outlived the policy of their type, as purges: one for each type with such events, recorded by an event `log.purged`. First it does the
 * rest of a run that was interrupted.
 *
 * Events stay while a subject of theirs is on hold, a handler has failed at them or keeps them for later, or they amend an event that is stored.
 *
 * @throws PurgeUnfinishedError when a purge for another reason was interrupted
 */
export async function applyRetention(database: Database, run: RetentionRun): Promise<RemovedEvents[]> {
  const removed: RemovedEvents[] = [];
  const interrupted = await continueRetention(database, run);
  if (interrupted !== undefined) removed.push(interrupted);
  for (const policy of await database.asOwner(retentionPolicies)) {
    const { type } = policy;
    const purge = await purgeEvents(database, {
      selection: { expired: expiryOf(policy, run.now ?? new Date()) },
      by: run.by,
      reason: `Retention of ${type}, ${counted(policy.keepDays, "day")}: ${policy.reason}`,
      keepsCopies: !policy.forgets,
      onProgress: (events) => run.onProgress?.(type, events),
    });
    if (purge !== undefined) removed.push({ type, ...purge });
  }
  return removed;
}

async function continueRetention(
  database: Database,
  { onProgress }: RetentionRun,
): Promise<RemovedEvents | undefined> {
  const [unfinished] = await database.asOwner((owner) =>
    owner.query<{ id: string; type: string | null }>(
      `SELECT id, selection #>> '{expired,type}' AS type FROM synap.purges WHERE removed_at IS NULL ORDER BY begun_at LIMIT 1`,
    ),
  );
  if (unfinished === undefined) return undefined;
  const { id, type } = unfinished;
  if (type === null) throw new PurgeUnfinishedError(id);
  try {
    return { type, ...(await continuePurge(database, (events) => onProgress?.(type, events))) };
  } catch (error) {
    // It was under way in another process, which has finished it.
    if (error instanceof NoPurgeToContinueError) return undefined;
    throw error;
  }
}

function expiryOf({ type, keepDays }: Pick<RetentionPolicy, "type" | "keepDays">, now: Date) {
  return { type, before: new Date(now.getTime() - keepDays * DAY_MS).toISOString() };
}
