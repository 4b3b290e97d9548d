import type { SqlSession } from "@synap/database";
import { noteCreationCompleted, type StoredEvent } from "@synap/types";
import { defineBatchProjection, type Projection, type ProjectionContext } from "../src/index.ts";

/** Options of {@link recordingProjection}. */
export interface RecordingProjectionOptions
  extends Partial<Pick<Projection, "mode" | "segments" | "version" | "name">> {
  /** Returns the text to record for an event. Default: its content. */
  readonly contentOf?: (event: StoredEvent) => string;
  /** Called after a batch was written. */
  readonly afterwards?: (events: readonly StoredEvent[], context: ProjectionContext) => unknown;
}

/**
 * A projection for tests with one row per note, holding the contents of its events in order, so that a missed,
 * repeated or reordered event is visible.
 */
export function recordingProjection(options: RecordingProjectionOptions = {}): Projection {
  const { contentOf = (event) => String(event.data["content"]), afterwards } = options;
  return defineBatchProjection({
    name: options.name ?? "recorded-notes",
    version: options.version ?? 1,
    description: "Records the contents of notes.",
    events: [noteCreationCompleted],
    mode: options.mode ?? "async",
    ...(options.segments !== undefined && { segments: options.segments }),
    tables: [
      {
        name: tableNameOf(options.name ?? "recorded-notes"),
        key: ["id"],
        columns: "id text NOT NULL, contents text NOT NULL, events integer NOT NULL",
        indexes: ["(events)"],
      },
    ],
    async apply(events, context) {
      const table = context.table(tableNameOf(options.name ?? "recorded-notes"));
      for (const event of events) {
        await context.transaction.query(
          `INSERT INTO ${table} AS kept (id, contents, events) VALUES ($1, $2, 1)
           ON CONFLICT (id) DO UPDATE SET contents = kept.contents || ' ' || excluded.contents, events = kept.events + 1`,
          [event.aggregateId, contentOf(event)],
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
export interface RecordedNote {
  readonly id: string;
  readonly contents: string;
  readonly events: number;
}

/** The rows of the read model. */
export function recordedNotes(session: SqlSession, projection = "recorded-notes"): Promise<RecordedNote[]> {
  return session.query(
    `SELECT id, contents, events FROM synap_read.${tableNameOf(projection)} ORDER BY id COLLATE "C"`,
  );
}

/** The rows it must hold: the events folded, each stream in its own order. */
export function foldedNotes(session: SqlSession): Promise<RecordedNote[]> {
  return session.query(`
    SELECT aggregate_id AS id, string_agg(data ->> 'content', ' ' ORDER BY stream_version) AS contents,
           count(*)::integer AS events
      FROM synap.events WHERE type = 'note.creation.completed'
     GROUP BY aggregate_id ORDER BY aggregate_id COLLATE "C"`);
}
