import type { LogSessions } from "../connection/log-sessions.ts";
import type { Database, SqlParameter, SqlSession } from "../connection/sql-session.ts";
import { isReaderMissing, readAsReader, readerMissing } from "./reader-transactions.ts";
import { type LimitedVisibility, visibleValue } from "./visibility.ts";

/** Names of the log's tables in the statements of `reading`. */
const TABLES = /\bsynap\.(events|streams|amendments|archived_(?:chunks|ranges|keys))\b/g;

/**
 * The views in place of `synap.events`: the events of a user or actor, or those of the streams that belong to them, for reading
 * one stream.
 */
const VIEWS = {
  events: { events: "events", streams: "streams", amendments: "amendments" },
  streams: { events: "stream_events", streams: "streams", amendments: "amendments" },
} as const;

/**
 * Sessions that show the rows of a user or an actor only. Each statement runs in a transaction as the role `synap_reader`, with the
 * views of `synap_visible` in place of the tables. The role has no right on the tables: a statement whose table is not replaced
 * fails.
 *
 * @param reads what is read: single events, or whole streams
 * @throws RangeError as `visibleValue`
 */
export function visibleSessions(
  database: Database,
  visibility: LimitedVisibility,
  reads: "events" | "streams",
): LogSessions {
  const { of, value } = visibleValue(visibility);
  const views: Readonly<Record<string, string>> = VIEWS[reads];
  const withViews = (text: string) =>
    text.replaceAll(TABLES, (_, table: string) => `synap_visible.${views[table] ?? table}_of_${of}`);

  const transaction = <T>(work: (session: SqlSession) => Promise<T>): Promise<T> =>
    readAsReader(database, value, (asReader) =>
      work({
        query: <Row extends object>(text: string, parameters?: readonly SqlParameter[]) =>
          asReader((own) => own.query<Row>(withViews(text), parameters)),
      }),
    ).catch((error: unknown) => {
      throw isReaderMissing(error) ? readerMissing(database, error) : error;
    });

  return {
    engine: database.engine,
    places: database,
    reads: { transaction },
    query: (text, parameters) => transaction((session) => session.query(text, parameters)),
  };
}
