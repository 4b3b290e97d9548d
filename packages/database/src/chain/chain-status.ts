import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import type { ChainHead } from "./chain-fault.ts";

/** The state of the hash chain over the log. */
export interface ChainStatus extends ChainHead {
  /** Position of the last event in the chain. */
  readonly position: number;
  /** Number of stored events after it. Exact up to 100,000 appends behind. */
  readonly lag: number;
  /** The last verification; absent when there was none. */
  readonly verified?: ChainVerification;
}

/** The result of a verification. */
export interface ChainVerification {
  /** RFC 3339. */
  readonly at: string;
  /** Position of the last event that was verified. */
  readonly position: number;
  readonly events: number;
  readonly faults: number;
}

const STATUS = `
SELECT coalesce(b.number, 0) AS number, coalesce(b.last_position, 0) AS last_position, encode(coalesce(b.hash, ''), 'hex') AS hash,
       (SELECT coalesce(sum(n.count), 0)::bigint
          FROM (
            SELECT a.count FROM synap.appends AS a
             WHERE a.number >= coalesce(b.last_position, 0) >> 10 AND a.last_position > coalesce(b.last_position, 0)
             ORDER BY a.number LIMIT 100000
          ) AS n) AS lag,
       ${epochMs("v.verified_at")} AS verified_at, v.last_position AS verified_position, v.events, v.faults
  FROM (VALUES (true)) AS one
  LEFT JOIN (SELECT * FROM synap.chain_blocks ORDER BY number DESC LIMIT 1) AS b ON true
  LEFT JOIN (SELECT * FROM synap.chain_verifications ORDER BY id DESC LIMIT 1) AS v ON true`;

interface StatusRow {
  readonly number: number;
  readonly last_position: number;
  readonly hash: string;
  readonly lag: number;
  readonly verified_at: number | null;
  readonly verified_position: number | null;
  readonly events: number | null;
  readonly faults: number | null;
}

/** Reads the state of the chain. One of which all blocks were removed looks empty; verifying it says so. */
export async function chainStatus(session: SqlSession): Promise<ChainStatus> {
  const [row] = await session.query<StatusRow>(STATUS);
  if (row === undefined) throw new Error("The query of the chain's state returned no row.");
  const { verified_at: at, verified_position: position, events, faults } = row;
  return {
    block: row.number,
    hash: row.hash,
    position: row.last_position,
    lag: row.lag,
    ...(at !== null &&
      position !== null &&
      events !== null &&
      faults !== null && { verified: { at: isoFromEpoch(at), position, events, faults } }),
  };
}
