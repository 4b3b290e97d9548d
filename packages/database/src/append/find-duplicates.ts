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

const FIND = `
SELECT c.id AS candidate, coalesce(i.id, k.event_id) AS id, coalesce(i."position", k."position") AS "position"
  FROM jsonb_to_recordset($1::text::jsonb) AS c(id uuid, "createdBy" text, "idempotencyKey" text)
  LEFT JOIN synap.event_ids AS i ON i.id = c.id
  LEFT JOIN synap.idempotency_keys AS k ON k.created_by = c."createdBy" AND k.key = c."idempotencyKey"
 WHERE i.id IS NOT NULL OR k.event_id IS NOT NULL`;

/** Which of these events are stored already, by their own id or by their creator's idempotency key. */
export async function findDuplicates(
  session: SqlSession,
  candidates: readonly DuplicateCandidate[],
): Promise<Map<string, FirstEvent>> {
  if (candidates.length === 0) return new Map();
  const keys = candidates.map(({ id, createdBy, idempotencyKey }) => ({ id, createdBy, idempotencyKey }));
  const rows = await session.query<FirstEvent & { candidate: string }>(FIND, [JSON.stringify(keys)]);
  return new Map(rows.map(({ candidate, id, position }) => [candidate, { id, position }]));
}
