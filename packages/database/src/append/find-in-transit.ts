import type { SqlSession } from "../connection/sql-session.ts";
import { type DuplicateCandidate, findDuplicates } from "./find-originals.ts";

const FIND_DEAD_LETTERS = `
SELECT event_id FROM synap.dead_letters
 WHERE handler = $1 AND event_id = ANY (ARRAY(SELECT json_array_elements_text($2::text::json)))`;

/**
 * Finds accepted events that are not stored yet: neither by id nor by the creator's idempotency key, nor as a dead letter of
 * the handler that stores them. Keeps their order.
 */
export async function findInTransit<Candidate extends DuplicateCandidate>(
  session: SqlSession,
  accepted: readonly Candidate[],
  handler: string,
): Promise<Candidate[]> {
  const stored = await findDuplicates(session, accepted);
  const absent = accepted.filter(({ id }) => !stored.has(id));
  if (absent.length === 0) return absent;
  const ids = JSON.stringify(absent.map(({ id }) => id));
  const rows = await session.query<{ event_id: string }>(FIND_DEAD_LETTERS, [handler, ids]);
  const kept = new Set(rows.map(({ event_id }) => event_id));
  return absent.filter(({ id }) => !kept.has(id));
}
