import { didYouMean } from "@synap/types/internal";
import type { Database, SqlSession } from "../connection/sql-session.ts";
import { isRecordType } from "../registered-types/record-types.ts";

/** A policy: the days for which the events of a type are kept. */
export interface RetentionPolicy {
  readonly type: string;
  /** Days after the `timestamp` of an event, 1 to 36,500. */
  readonly keepDays: number;
  /**
   * True: read models are built anew without the events, handlers forget them, and snapshots of their streams are removed, as after a purge. False:
   * what was made of the events stays.
   */
  readonly forgets: boolean;
  /** 1 to 800 characters. */
  readonly reason: string;
  /** The actor, as in `createdBy` of an event. */
  readonly by: string;
}

/** A policy in force. */
export interface SetRetentionPolicy extends RetentionPolicy {
  /** RFC 3339. */
  readonly setAt: string;
}

/** Thrown for a policy of a type that is not in the catalogue of any process: it is misspelt, or it is one of Synap's own records. */
export class UnknownRetainedTypeError extends Error {
  readonly code = "UNKNOWN_RETAINED_TYPE";
  override readonly name = "UnknownRetainedTypeError";

  constructor(type: string, known: readonly string[]) {
    super(`No application has had an event type ${JSON.stringify(type)}${didYouMean(type, known)}.`);
  }
}

/** Thrown when a type has no policy. */
export class NoRetentionPolicyError extends Error {
  readonly code = "NO_RETENTION_POLICY";
  override readonly name = "NoRetentionPolicyError";

  constructor(type: string) {
    super(`The events of ${JSON.stringify(type)} have no policy: all of them are kept.`);
  }
}

const END =
  "UPDATE synap.retention_policies SET ended_at = clock_timestamp(), ended_by = $2 WHERE event_type = $1 AND ended_at IS NULL";

/**
 * Sets the policy of a type, in place of the one it has. Removes no event: `applyRetention` does.
 * @throws UnknownRetainedTypeError; RangeError for days out of bounds
 */
export async function setRetentionPolicy(database: Database, policy: RetentionPolicy): Promise<void> {
  const { type, keepDays, forgets, reason, by } = policy;
  if (!Number.isInteger(keepDays) || keepDays < 1 || keepDays > 36_500)
    throw new RangeError("The events of a type are kept for 1 to 36500 days.");
  await database.asOwner(async (owner) => {
    const known = await owner.query<{ name: string }>("SELECT name FROM synap.event_types");
    const names = known.flatMap(({ name }) => (isRecordType(name) ? [] : [name]));
    if (!names.includes(type)) throw new UnknownRetainedTypeError(type, names);
    await owner.query("LOCK TABLE synap.retention_policies IN SHARE ROW EXCLUSIVE MODE");
    await owner.query(END, [type, by]);
    await owner.query(
      "INSERT INTO synap.retention_policies (event_type, keep_days, forgets, set_by, reason) VALUES ($1, $2, $3, $4, $5)",
      [type, keepDays, forgets, by, reason],
    );
  });
}

/** Ends the policy of a type: no more events of it are removed. @throws NoRetentionPolicyError */
export async function endRetentionPolicy(
  database: Database,
  { type, by }: Pick<RetentionPolicy, "type" | "by">,
): Promise<void> {
  const ended = await database.asOwner((owner) => owner.query(`${END} RETURNING id`, [type, by]));
  if (ended.length === 0) throw new NoRetentionPolicyError(type);
}

/** Reads the policies that are in force, by type. For the owner. */
export function retentionPolicies(owner: SqlSession): Promise<SetRetentionPolicy[]> {
  return owner.query<SetRetentionPolicy>(`
    SELECT event_type AS type, keep_days AS "keepDays", forgets, reason, set_by AS by,
           to_char(set_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "setAt"
      FROM synap.retention_policies
     WHERE ended_at IS NULL
     ORDER BY event_type`);
}
