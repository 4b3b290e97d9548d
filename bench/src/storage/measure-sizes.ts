import type { Database } from "@synap/database";

/** Sizes in bytes, indexes included unless stated otherwise. */
export interface Sizes {
  /** The events without their indexes. */
  readonly table: number;
  readonly indexes: number;
  readonly eventIds: number;
  readonly idempotencyKeys: number;
  readonly streams: number;
  readonly appends: number;
  /** All of these. */
  readonly total: number;
}

const SIZES = `
SELECT events.table_bytes, events.index_bytes,
       pg_total_relation_size('synap.event_ids') AS event_ids,
       pg_total_relation_size('synap.idempotency_keys') AS idempotency_keys,
       pg_total_relation_size('synap.streams') AS streams,
       pg_total_relation_size('synap.appends') AS appends
  FROM (
    SELECT sum(total_bytes - index_bytes)::bigint AS table_bytes, sum(index_bytes)::bigint AS index_bytes
      FROM public.chunks_detailed_size('synap.events')
  ) AS events`;

interface SizesRow {
  readonly table_bytes: number;
  readonly index_bytes: number;
  readonly event_ids: number;
  readonly idempotency_keys: number;
  readonly streams: number;
  readonly appends: number;
}

/** Size of the store now, in bytes. Compressed chunks count with what they are packed into. */
export async function measureSizes(database: Database): Promise<Sizes> {
  const [row] = await database.asOwner((owner) => owner.query<SizesRow>(SIZES));
  if (row === undefined) throw new Error("The database returned no sizes.");
  const sizes = {
    table: row.table_bytes,
    indexes: row.index_bytes,
    eventIds: row.event_ids,
    idempotencyKeys: row.idempotency_keys,
    streams: row.streams,
    appends: row.appends,
  };
  return { ...sizes, total: Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0) };
}
