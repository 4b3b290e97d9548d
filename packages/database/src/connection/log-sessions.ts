import type { Engine, SqlSession } from "./sql-session.ts";

/** Sessions that read the log: a database, or one that shows only some of its rows. */
export interface LogSessions extends SqlSession {
  readonly engine: Engine;
  readonly reads: {
    transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T>;
  };
  /**
   * Session for looking up where events are: their time and position, a stream's time range, the append log. It sees every row,
   * so what it answers may decide where is searched, and must not be returned. Absent if the sessions themselves see every row.
   */
  readonly places?: SqlSession | undefined;
}
