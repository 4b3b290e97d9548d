import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";

/** A part of the history of the store: another one begins when the database was restored, copied or promoted. */
export interface Epoch {
  /** From 1. */
  readonly number: number;
  /** RFC 3339. */
  readonly begunAt: string;
  /** The first position that an event of this epoch may have. */
  readonly firstPosition: number;
  /**
   * The last position of the epochs before it. Those between the two are of events that were lost, or of none. Absent in the first
   * epoch.
   */
  readonly lastBefore?: number;
  /** When `synap verify --restored` found no fault in it, RFC 3339. Absent until then; the first epoch needs none. */
  readonly verifiedAt?: string;
}

const EPOCH = `
SELECT number, first_number, last_before, ${epochMs("begun_at")} AS begun_at, ${epochMs("verified_at")} AS verified_at
  FROM synap.epochs
 ORDER BY number`;

interface EpochRow {
  readonly number: number;
  readonly first_number: number;
  readonly last_before: number;
  readonly begun_at: number;
  readonly verified_at: number | null;
}

/** Reads the epochs of the store, the current one last. */
export async function readEpochs(session: SqlSession): Promise<Epoch[]> {
  const rows = await session.query<EpochRow>(EPOCH);
  return rows.map((row) => ({
    number: row.number,
    begunAt: isoFromEpoch(row.begun_at),
    firstPosition: row.first_number * 1_024,
    ...(row.last_before >= 0 && { lastBefore: row.last_before * 1_024 + 1_023 }),
    ...(row.verified_at !== null && { verifiedAt: isoFromEpoch(row.verified_at) }),
  }));
}

/** Reads the current epoch. */
export async function currentEpoch(session: SqlSession): Promise<Epoch> {
  const epoch = (await readEpochs(session)).at(-1);
  if (epoch === undefined) throw new Error("synap.epochs has no row: they were deleted.");
  return epoch;
}

/**
 * Begins an epoch because the store was restored from a copy. One that has begun by itself, with the first append after the database
 * became another one, is taken for it.
 *
 * @param owner a transaction of the login that owns the schema
 * @param beyond the highest position that anybody is known to have; new positions are behind it
 */
export async function declareRestored(owner: SqlSession, beyond = 0): Promise<Epoch> {
  await owner.query("SELECT synap.declare_restored($1)", [Math.floor(beyond / 1_024) + 1]);
  return currentEpoch(owner);
}

/** Notes that nothing is wrong in the current epoch. @param owner as for {@link declareRestored} */
export async function noteVerified(owner: SqlSession, { number }: Epoch): Promise<void> {
  await owner.query("UPDATE synap.epochs SET verified_at = now() WHERE number = $1", [number]);
}
