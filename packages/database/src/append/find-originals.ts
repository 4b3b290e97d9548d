import type { StreamName, SynapEvent } from "@synap/types";
import { streamKey } from "@synap/types/internal";
import type { SqlSession } from "../connection/sql-session.ts";
import { textArray } from "./append-new-events.ts";
import type { Original, StoreState } from "./judge-events.ts";

/** Fields by which a duplicate is recognised. */
export interface DuplicateCandidate {
  /** A UUID. */
  readonly id: string;
  readonly createdBy: string;
  readonly idempotencyKey?: string | undefined;
}

/** Id and position of the event that was stored first. */
export interface FirstEvent {
  readonly id: string;
  readonly position: number;
}

/** The stored event that an event repeats, and a comparison of their content. */
export type RepeatedEvent = Pick<Original, "id" | "position" | "hasSameContent" | "userId" | "createdBy">;

// What repeats a purged event is a duplicate of it: its id is gone, so the repetition's own stands for it. A log without a purge
// pays for one look at an empty table.
const FIND_IDS = `
SELECT id AS candidate, id, "position"
  FROM synap.event_ids
 WHERE id = ANY ($1::text::uuid[])
 UNION ALL
SELECT c.id, c.id, p."position"
  FROM unnest($1::text::uuid[]) AS c(id)
  JOIN synap.purged_events AS p ON p.id_hash = synap.purged_id_hash(c.id)
 WHERE EXISTS (SELECT FROM synap.purged_events)`;

// Most events have no idempotency key, and without any key the ids suffice.
const FIND_IDS_AND_KEYS = `${FIND_IDS}
 UNION ALL
SELECT c.id, k.event_id, k."position"
  FROM json_to_recordset($2::text::json) AS c(id uuid, "createdBy" text, "idempotencyKey" text)
  JOIN synap.idempotency_keys AS k ON k.created_by = c."createdBy" AND k.key = c."idempotencyKey"
 UNION ALL
SELECT c.id, c.id, p."position"
  FROM json_to_recordset($2::text::json) AS c(id uuid, "createdBy" text, "idempotencyKey" text)
  JOIN synap.purged_events AS p ON p.key_hash = synap.purged_key_hash(c."createdBy", c."idempotencyKey")
 WHERE EXISTS (SELECT FROM synap.purged_events)`;

/** Finds the events that are already stored, by their id or by their creator's idempotency key. */
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
    // A match by id takes precedence over one by key.
    if (id === candidate || !found.has(candidate)) found.set(candidate, { id, position });
  }
  return found;
}

/**
 * Returns, for each event, the stored one that it repeats. One statement if none is a repetition, two otherwise.
 * @throws SQLSTATE 22xxx for data that PostgreSQL can't store
 */
export async function repeatedEvents(
  session: SqlSession,
  events: readonly SynapEvent[],
): Promise<(RepeatedEvent | undefined)[]> {
  const found = await findDuplicates(session, events);
  if (found.size === 0) return events.map(() => undefined);
  const repeated = events.filter(({ id }) => found.has(id));
  const { originals } = await findOriginals(session, repeated);
  let next = 0;
  return events.map((event) => {
    if (!found.has(event.id)) return undefined;
    const original = originals[next];
    next += 1;
    if (original === undefined) return undefined;
    const { id, position, hasSameContent, userId, createdBy } = original;
    return { id, position, hasSameContent, userId, createdBy };
  });
}

const FIND_ORIGINALS = `
SELECT originals, streams
  FROM synap.find_originals($1::text::jsonb, $2::text::text[], $3::text::text[])`;

interface OriginalRow extends Omit<Original, "stream"> {
  readonly index: number;
  readonly aggregateType: string | null;
  readonly aggregateId: string | null;
}

/** Looks up the originals of the events of an append and the state of their streams and of further ones, in one round trip. */
export async function findOriginals(
  session: SqlSession,
  events: readonly SynapEvent[],
  streams: readonly StreamName[] = [],
): Promise<StoreState> {
  const byKey = new Map([...events, ...streams].map((stream) => [streamKey(stream), stream]));
  const names = [...byKey.values()];
  const [row] = await session.query<{
    originals: readonly OriginalRow[] | null;
    streams: readonly (readonly [version: number, isClosed: boolean])[];
  }>(FIND_ORIGINALS, [
    JSON.stringify(events),
    textArray(names.map(({ aggregateType }) => aggregateType)),
    textArray(names.map(({ aggregateId }) => aggregateId)),
  ]);
  if (row === undefined) throw new Error("find_originals returned no row.");
  const originals: (Original | undefined)[] = events.map(() => undefined);
  for (const { index, aggregateType, aggregateId, ...original } of row.originals ?? []) {
    originals[index] = {
      ...original,
      ...(aggregateType !== null && aggregateId !== null && { stream: { aggregateType, aggregateId } }),
    };
  }
  const states = new Map([...byKey.keys()].map((key, index) => [key, row.streams[index]]));
  return {
    originals,
    isClosed: (stream) => states.get(streamKey(stream))?.[1] ?? false,
    versionOf: (stream) => states.get(streamKey(stream))?.[0] ?? 0,
  };
}

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
