import type { SqlSession } from "../connection/sql-session.ts";

/** Positions of one append: that of its first event is its number times this. */
export const APPEND_POSITIONS = 1_024;

/** The row from which a standby knows how far it may read. */
export interface Horizon {
  /** Every append up to this number is committed, or never will be. */
  readonly number: number;
  /** Server, database and timeline of the row's writer. */
  readonly history: string;
}

/** The horizon as a server shows it. */
export interface SeenHorizon extends Horizon {
  /** False on a server that has been promoted. */
  readonly isStandby: boolean;
}

/** The state of a server at the end of a read. */
export interface ReadEnd {
  /** Position of the last event; nothing that the read has seen is behind it. */
  readonly position: number;
  readonly isStandby: boolean;
}

const ADVANCE = "SELECT number, history FROM synap.advance_read_horizon()";
const SEE = `SELECT number, history, pg_is_in_recovery() AS "isStandby" FROM synap.read_horizon`;
const END = `
SELECT coalesce((SELECT last_position FROM synap.appends ORDER BY number DESC LIMIT 1), 0) AS "position",
       pg_is_in_recovery() AS "isStandby"`;

/** Moves the horizon on the primary to the watermark. */
export async function advanceHorizon(primary: SqlSession): Promise<Horizon> {
  return single(await primary.query<Horizon>(ADVANCE));
}

/** Reads the horizon that a server shows. What a later statement on its connection sees is complete up to there. */
export async function seeHorizon(session: SqlSession): Promise<SeenHorizon> {
  return single(await session.query<SeenHorizon>(SEE));
}

/** Reads what a server has after a read: an upper bound of what the read has seen, and if the server was a standby until then. */
export async function seeEnd(session: SqlSession): Promise<ReadEnd> {
  return single(await session.query<ReadEnd>(END));
}

function single<Row>([row]: readonly Row[]): Row {
  if (row === undefined) throw new Error("synap.read_horizon has no row: it was deleted.");
  return row;
}
