import { createHash, type Hash } from "node:crypto";
import type { SqlSession } from "../connection/sql-session.ts";

/** A column of `synap.events`, with PostgreSQL's name of its type. */
export interface EventColumn {
  readonly name: string;
  readonly type: string;
}

/** A row of `synap.events`: PostgreSQL's text of each value, from which it makes the same value again. */
export type EventText = Readonly<Record<string, string | null>>;

const COLUMNS = `
SELECT attname AS name, format_type(atttypid, atttypmod) AS type
  FROM pg_attribute
 WHERE attrelid = 'synap.events'::regclass AND attnum > 0 AND NOT attisdropped
 ORDER BY attnum`;

/** Reads the columns of `synap.events`, in their order. */
export function eventColumns(session: SqlSession): Promise<EventColumn[]> {
  return session.query<EventColumn>(COLUMNS);
}

/** Writes a name for SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Writes rows as the JSON that json_populate_recordset reads: each value in PostgreSQL's text, and JSON as it is. */
export function rowsAsJson(columns: readonly EventColumn[], rows: readonly EventText[]): string {
  const write = (row: EventText) => {
    const fields = columns.flatMap(({ name, type }) => {
      const value = row[name] ?? null;
      if (value === null) return [];
      return [`${JSON.stringify(name)}:${type === "jsonb" ? value : JSON.stringify(value)}`];
    });
    return `{${fields.join()}}`;
  };
  return `[${rows.map(write).join()}]`;
}

/** Some events in the order of positions: their number, and the digests of the chain over them. */
export interface EventsDigest {
  readonly events: number;
  readonly firstPosition: number;
  readonly lastPosition: number;
  /** SHA-256 over the digests of the events, in hexadecimal digits. */
  readonly digest: string;
}

/** A stored event's position and digest, in hexadecimal digits. */
export interface DigestedEvent {
  readonly position: number;
  readonly digest: string;
}

/** Digests events that come in the order of positions. */
export class RunningDigest {
  readonly #hash: Hash = createHash("sha256");
  #events = 0;
  #first = 0;
  #last = -1;

  /** @throws RangeError for an event that is not behind the one before it */
  add({ position, digest }: DigestedEvent): void {
    if (position <= this.#last)
      throw new RangeError(`position ${position} is not behind the one before it, ${this.#last}`);
    if (this.#events === 0) this.#first = position;
    this.#last = position;
    this.#events += 1;
    this.#hash.update(digest, "hex");
  }

  /** Ends it. */
  end(): EventsDigest {
    return {
      events: this.#events,
      firstPosition: this.#first,
      lastPosition: this.#last,
      digest: this.#hash.digest("hex"),
    };
  }
}

const DIGESTS = `
SELECT e."position", encode(synap.event_digest(e), 'hex') AS digest
  FROM json_populate_recordset(NULL::synap.events, $1::text::json) AS e
 ORDER BY e."position"`;

/** Computes the digests of rows that need not be stored, in the order of positions. */
export function digestRows(
  session: SqlSession,
  columns: readonly EventColumn[],
  rows: readonly EventText[],
): Promise<DigestedEvent[]> {
  return session.query<DigestedEvent>(DIGESTS, [rowsAsJson(columns, rows)]);
}
