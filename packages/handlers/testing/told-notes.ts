import type { SqlSession } from "@synap/database";
import { noteCreationCompleted, type StoredEvent } from "@synap/types";
import { defineBatchProjection, type Projection, type ProjectionContext } from "../src/index.ts";

/** What a test changes about {@link toldNotes}. */
export interface ToldNotesOptions
  extends Partial<Pick<Projection, "mode" | "segments" | "version" | "name">> {
  /** What is written for one event. Default: its content. */
  readonly tell?: (event: StoredEvent) => string;
  /** Runs after a batch was written. */
  readonly afterwards?: (events: readonly StoredEvent[], context: ProjectionContext) => unknown;
}

/**
 * A projection for tests: one row for each note, holding the contents of its events one after the other. An event that
 * is missed, repeated or out of order shows.
 */
export function toldNotes(options: ToldNotesOptions = {}): Projection {
  const { tell = (event) => String(event.data["content"]), afterwards } = options;
  return defineBatchProjection({
    name: options.name ?? "told-notes",
    version: options.version ?? 1,
    description: "Tells the notes.",
    events: [noteCreationCompleted],
    mode: options.mode ?? "async",
    ...(options.segments !== undefined && { segments: options.segments }),
    tables: [
      {
        name: tableNameOf(options.name ?? "told-notes"),
        key: ["id"],
        columns: "id text NOT NULL, told text NOT NULL, events integer NOT NULL",
        indexes: ["(events)"],
      },
    ],
    async apply(events, context) {
      const table = context.table(tableNameOf(options.name ?? "told-notes"));
      for (const event of events) {
        await context.transaction.query(
          `INSERT INTO ${table} AS kept (id, told, events) VALUES ($1, $2, 1)
           ON CONFLICT (id) DO UPDATE SET told = kept.told || ' ' || excluded.told, events = kept.events + 1`,
          [event.aggregateId, tell(event)],
        );
      }
      await afterwards?.(events, context);
    },
  });
}

function tableNameOf(projection: string): string {
  return projection.replaceAll("-", "_");
}

/** One row of the read model. */
export interface ToldNote {
  readonly id: string;
  readonly told: string;
  readonly events: number;
}

/** What the view shows. */
export function shownNotes(session: SqlSession, projection = "told-notes"): Promise<ToldNote[]> {
  return session.query(
    `SELECT id, told, events FROM synap_read.${tableNameOf(projection)} ORDER BY id COLLATE "C"`,
  );
}

/** What it must show: the events themselves, folded, each stream in its own order. */
export function foldedNotes(session: SqlSession): Promise<ToldNote[]> {
  return session.query(`
    SELECT aggregate_id AS id, string_agg(data ->> 'content', ' ' ORDER BY stream_version) AS told,
           count(*)::integer AS events
      FROM synap.events WHERE type = 'note.creation.completed'
     GROUP BY aggregate_id ORDER BY aggregate_id COLLATE "C"`);
}
