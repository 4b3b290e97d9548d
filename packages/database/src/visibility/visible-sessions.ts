import { sqlState } from "../connection/database-errors.ts";
import type { LogSessions } from "../connection/log-sessions.ts";
import type { Database, SqlParameter, SqlSession } from "../connection/sql-session.ts";
import { type LimitedVisibility, VisibilityUnavailableError, visibleValue } from "./visibility.ts";

// Both end with the transaction, so that the next user of the connection, also behind a pooler, has neither.
const BECOME = "SELECT set_config('role', 'synap_reader', true), set_config('synap.visible_to', $1, true)";

/** Names of the log's tables in the statements of `reading`. */
const TABLES = /\bsynap\.(events|streams)\b/g;

/**
 * The views in place of `synap.events`: the events of a user or actor, or those of the streams that belong to them, for reading
 * one stream.
 */
const VIEWS = {
  events: { events: "events", streams: "streams" },
  streams: { events: "stream_events", streams: "streams" },
} as const;

/** SQLSTATEs of a role that doesn't exist, and of a right that is missing. */
const ROLE_MISSING: ReadonlySet<string> = new Set(["22023", "42501"]);

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
    text.replaceAll(TABLES, (_, table: string) => `synap_visible.${views[table]}_of_${of}`);

  function transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return database.reads
      .transaction((own) => {
        let begun: Promise<unknown> | undefined;
        return work({
          query: async <Row extends object>(text: string, parameters?: readonly SqlParameter[]) => {
            // Sent together: the second runs only if the first succeeded.
            begun ??= own.query(BECOME, [value]);
            const [, rows] = await Promise.all([begun, own.query<Row>(withViews(text), parameters)]);
            return rows;
          },
        });
      })
      .catch((error: unknown) => {
        if (!ROLE_MISSING.has(sqlState(error) ?? "")) throw error;
        const isPostgres16 = Number.parseInt(database.capabilities.postgresVersion, 10) >= 16;
        throw new VisibilityUnavailableError(isPostgres16, { cause: error });
      });
  }

  return {
    engine: database.engine,
    places: database,
    reads: { transaction },
    query: (text, parameters) => transaction((session) => session.query(text, parameters)),
  };
}
