import type { SqlSession } from "../connection/sql-session.ts";

/** By what an event is recognised. */
export interface DuplicateCandidate {
  /** A UUID. */
  readonly id: string;
  readonly createdBy: string;
  readonly idempotencyKey?: string | undefined;
}

/** Where the event is that was stored first. */
export interface FirstEvent {
  readonly id: string;
  readonly position: number;
}

const FIND_IDS = `
SELECT id AS candidate, id, "position"
  FROM synap.event_ids
 WHERE id = ANY ($1::text::uuid[])`;

// Most events have no idempotency key, and where none has one the ids are all there is to look for.
const FIND_IDS_AND_KEYS = `${FIND_IDS}
 UNION ALL
SELECT c.id, k.event_id, k."position"
  FROM json_to_recordset($2::text::json) AS c(id uuid, "createdBy" text, "idempotencyKey" text)
  JOIN synap.idempotency_keys AS k ON k.created_by = c."createdBy" AND k.key = c."idempotencyKey"`;

/** Which of these events are stored already, by their own id or by their creator's idempotency key. */
export async function findDuplicates(
  session: SqlSession,
  candidates: readonly DuplicateCandidate[],
): Promise<Map<string, FirstEvent>> {
  if (candidates.length === 0) return new Map();
  const ids = candidates.map(({ id }) => id);
  const keyed = candidates.flatMap(({ id, createdBy, idempotencyKey }) =>
    idempotencyKey === undefined ? [] : [{ id, createdBy, idempotencyKey }],
  );
  const rows = await session.query<FirstEvent & { candidate: string }>(
    keyed.length === 0 ? FIND_IDS : FIND_IDS_AND_KEYS,
    [`{${ids.join()}}`, ...(keyed.length === 0 ? [] : [JSON.stringify(keyed)])],
  );
  const found = new Map<string, FirstEvent>();
  for (const { candidate, id, position } of rows) {
    // The event's own id counts for more than its key.
    if (id === candidate || !found.has(candidate)) found.set(candidate, { id, position });
  }
  return found;
}
