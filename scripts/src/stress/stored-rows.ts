import type { SqlSession } from "@synap/database";
import { nameOf } from "./reader-journal.ts";

/** An event as the table has it. */
export interface StoredRow {
  readonly position: number;
  readonly stream: string;
  readonly version: number;
}

const PAGE = 50_000;

const NEXT_ROWS = `
SELECT id, "position", aggregate_type AS "aggregateType", aggregate_id AS "aggregateId", stream_version AS version
  FROM synap.events
 WHERE id > $1::text::uuid
 ORDER BY id
 LIMIT ${PAGE}`;

interface Row {
  readonly id: string;
  readonly position: number;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly version: number;
}

/** Every event by its id, asked of the table itself and not of the code that is being tested. */
export async function readStoredRows(session: SqlSession): Promise<Map<string, StoredRow>> {
  const stored = new Map<string, StoredRow>();
  for (let after = "00000000-0000-0000-0000-000000000000"; ; ) {
    const rows: Row[] = await session.query<Row>(NEXT_ROWS, [after]);
    for (const row of rows) {
      stored.set(row.id, { position: row.position, stream: nameOf(row), version: row.version });
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return stored;
    after = last.id;
  }
}
