import { counted } from "@synap/types/internal";
import { type ArchivedEvents, archivedEvents } from "../archive/archived-chunk.ts";
import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { notify } from "../observers.ts";
import type { ChainFault, ChainHead } from "./chain-fault.ts";
import { type ChainStatus, chainStatus } from "./chain-status.ts";
import { missingChunks } from "./missing-chunks.ts";
import { verifyArchives } from "./verify-archives.ts";
import { verifyPurges } from "./verify-purges.ts";

/** A block to compare the chain with, and callbacks. */
export interface ChainCheck {
  /** A block that was noted earlier, outside of the database: the chain must still have it. */
  readonly expected?: ChainHead | undefined;
  /** Called with each fault, also with those beyond the ones that the report has. */
  readonly onFault?: ((fault: ChainFault) => void) | undefined;
  /** Called now and then with the position up to which blocks are verified, and that of the last block. */
  readonly onProgress?: ((position: number, last: number) => void) | undefined;
}

/** The result of {@link verifyChain}. */
export interface ChainReport {
  /** The last block. Kept elsewhere, it is what a later verification can expect. */
  readonly head: ChainHead;
  /** Position of the last event in the chain, and the number of events that are not in it yet. */
  readonly position: number;
  readonly lag: number;
  /** Number of events that were digested, with the purged ones. */
  readonly events: number;
  /** Those that are in an archive: `synap archive verify` digests them. */
  readonly archived: ArchivedEvents;
  readonly faultCount: number;
  /** The first {@link MAX_FAULTS} faults. */
  readonly faults: readonly ChainFault[];
}

/** Largest number of faults in a report. */
export const MAX_FAULTS = 1_000;

/** Events of one statement, so that the embedded engine has time for others... */
const EVENTS_AT_ONCE = 20_000;
/** ...and blocks: a quiet log has small ones. */
const BLOCKS_AT_ONCE = 500;

/**
 * Verifies the hash chain over the log, from its first block to the last: digests every event again, and compares blocks and chunks.
 * It changes nothing in the log and can run beside appends; the result is recorded for the status and the metrics.
 */
export async function verifyChain(session: SqlSession, check: ChainCheck = {}): Promise<ChainReport> {
  const faults: ChainFault[] = [];
  let faultCount = 0;
  const report = (fault: ChainFault) => {
    faultCount += 1;
    if (faults.length < MAX_FAULTS) faults.push(fault);
    notify(check.onFault, fault);
  };
  const head = await chainStatus(session);
  const events = await verifyBlocks(session, head, report, check.onProgress);
  await verifyEnds(session, head, check.expected, report);
  await verifyChunks(session, report);
  await verifyPurges(session, report);
  await verifyArchives(session, report);
  const archived = await archivedEvents(session);
  await session.query(RECORD, [head.block, head.position, events, faultCount]);
  const { block, hash, position, lag } = head;
  return { head: { block, hash }, position, lag, events, archived, faultCount, faults };
}

const RECORD =
  "INSERT INTO synap.chain_verifications (last_block, last_position, events, faults) VALUES ($1, $2, $3, $4)";

type Report = (fault: ChainFault) => void;

const BLOCKS = `
SELECT b.number, b.last_position, b.events, ${epochMs("b.min_timestamp")} AS first, ${epochMs("b.max_timestamp")} AS last,
       p.last_position AS after_position, b.hash = synap.block_hash(p.hash, b) AS follows,
       d.events AS found, d.digest = b.digest AS same, x.number IS NOT NULL AS is_archived
  FROM (
    SELECT n AS block, sum(n.events) OVER (ORDER BY n.number) - n.events AS events_before
      FROM (SELECT * FROM synap.chain_blocks WHERE number > $1 AND number <= $2 ORDER BY number LIMIT ${BLOCKS_AT_ONCE}) AS n
  ) AS w
 CROSS JOIN LATERAL (SELECT (w.block).*) AS b
  LEFT JOIN synap.chain_blocks AS p ON p.number = b.number - 1
  LEFT JOIN synap.archived_blocks AS x ON x.number = b.number
 CROSS JOIN LATERAL synap.digest_between(p.last_position, b.last_position, b.min_timestamp, b.max_timestamp) AS d
 WHERE w.events_before < ${EVENTS_AT_ONCE}
 ORDER BY b.number`;

interface BlockRow {
  readonly number: number;
  readonly last_position: number;
  readonly events: number;
  readonly first: number;
  readonly last: number;
  /** Null where the block before it is missing. */
  readonly after_position: number | null;
  readonly follows: boolean | null;
  readonly found: number;
  readonly same: boolean;
  /** All of its events are in an archive, so that they are not here to be digested. */
  readonly is_archived: boolean;
}

/** Verifies the blocks up to the head. Returns the number of events found in them. */
async function verifyBlocks(
  session: SqlSession,
  head: ChainStatus,
  report: Report,
  onProgress: ChainCheck["onProgress"],
): Promise<number> {
  let events = 0;
  let number = 0;
  while (number < head.block) {
    const rows = await session.query<BlockRow>(BLOCKS, [number, head.block]);
    for (const row of rows) {
      if (row.after_position === null)
        report(missingBlocks(Math.min(number + 1, row.number - 1), row.number - 1));
      const fault = faultOf(row);
      if (fault !== undefined && (await isStill(session, row.number))) report(fault);
      if (row.after_position !== null) events += row.found;
      number = row.number;
    }
    const position = rows.at(-1)?.last_position;
    if (position === undefined) break;
    notify((at: number) => onProgress?.(at, head.position), position);
  }
  return events;
}

/**
 * Verifies a block once more. Dropping and restoring an archived chunk follow no snapshot: a statement beside one may find the events of after
 * it, and the records of before.
 */
async function isStill(session: SqlSession, block: number): Promise<boolean> {
  const [row] = await session.query<BlockRow>(BLOCKS, [block - 1, block]);
  return row === undefined || faultOf(row) !== undefined;
}

function missingBlocks(first: number, last: number): ChainFault {
  const which =
    first === last ? `Block ${first} of the chain is` : `Blocks ${first} to ${last} of the chain are`;
  return { kind: "block-missing", message: `${which} missing.`, block: first };
}

function faultOf(row: BlockRow): ChainFault | undefined {
  const { number: block, after_position: afterPosition, last_position: upTo, events: expected, found } = row;
  // Reported as a missing block.
  if (afterPosition === null) return undefined;
  const place = { block, afterPosition, upTo, from: isoFromEpoch(row.first), to: isoFromEpoch(row.last) };
  const range = `after position ${afterPosition} up to ${upTo} (block ${block}, ${place.from} to ${place.to})`;
  if (row.follows !== true) {
    return {
      kind: "block-changed",
      message: `The block ${range} does not follow from the one before it.`,
      ...place,
    };
  }
  const counts = { ...place, expected, found };
  if (row.is_archived && found === 0) return undefined;
  if (found < expected)
    return {
      kind: "events-missing",
      message: `Of ${counted(expected, "event")} ${range}, ${found} are stored.`,
      ...counts,
    };
  if (found > expected)
    return {
      kind: "events-added",
      message: `In place of ${counted(expected, "event")} ${range}, ${found} are stored.`,
      ...counts,
    };
  if (!row.same)
    return {
      kind: "events-changed",
      message: `The content of ${counted(expected, "event")} ${range} is another one.`,
      ...counts,
    };
  return undefined;
}

/** Compares the last block with the end that the database has noted, and a block that was noted elsewhere with the chain's. */
async function verifyEnds(
  session: SqlSession,
  head: ChainHead,
  expected: ChainHead | undefined,
  report: Report,
): Promise<void> {
  const [end] = await session.query<{ number: number }>("SELECT number FROM synap.chain_end");
  if (end === undefined)
    report({
      kind: "block-missing",
      message: "The end of the chain is not noted, so that nothing extends it.",
    });
  else if (!(await hasBlock(session, end.number)))
    report(missingBlocks(Math.min(head.block + 1, end.number), end.number));
  if (expected === undefined) return;
  const { block } = expected;
  const [row] = await session.query<{ hash: string }>(
    "SELECT encode(hash, 'hex') AS hash FROM synap.chain_blocks WHERE number = $1",
    [block],
  );
  if (row?.hash === expected.hash) return;
  const message =
    row === undefined
      ? `The chain has no block ${block}; its last one is ${head.block}.`
      : `Block ${block} has the hash ${row.hash} in place of ${expected.hash}: the chain was written anew, or is another one.`;
  report({ kind: "head-differs", message, block });
}

async function hasBlock(session: SqlSession, number: number): Promise<boolean> {
  const rows = await session.query("SELECT FROM synap.chain_blocks WHERE number = $1", [number]);
  return rows.length > 0;
}

// In one snapshot with the position up to which the numbers of events are. A chunk that the chain has not met is listed as well.
const CHUNKS = `
SELECT c.name AS chunk, coalesce(k.events, 0) AS events,
       ${epochMs("c.range_start")} AS range_start, ${epochMs("c.range_end")} AS range_end,
       (SELECT max(last_position) FROM synap.chain_blocks) AS "position"
  FROM synap.chained_chunks AS k
  RIGHT JOIN (
    SELECT format('%I.%I', chunk_schema, chunk_name) COLLATE "C" AS name, range_start, range_end
      FROM timescaledb_information.chunks
     WHERE hypertable_schema = 'synap' AND hypertable_name = 'events'
  ) AS c ON c.name = k.chunk
 ORDER BY c.range_start`;

const COUNT = `
SELECT count(*) AS events
  FROM synap.events
 WHERE "timestamp" >= to_timestamp($1::bigint / 1000.0) AND "timestamp" < to_timestamp($2::bigint / 1000.0) AND "position" <= $3`;

/** Compares the number of events in each chunk, where a block would look for those of its own time only. */
async function verifyChunks(session: SqlSession, report: Report): Promise<void> {
  for (const { chunk, events, from, to } of await missingChunks(session)) {
    const message = `The chunk ${chunk} with ${counted(events, "event")} from ${from} to ${to} was dropped.`;
    report({ kind: "chunk-missing", message, chunk, from, to, expected: events, found: 0 });
  }
  for (const row of await session.query<ChunkRow>(CHUNKS)) {
    if ((await differenceIn(session, row)) === undefined) continue;
    // It may have been archived or restored between the two statements.
    const again = (await session.query<ChunkRow>(CHUNKS)).find(({ chunk }) => chunk === row.chunk);
    const fault = again && (await differenceIn(session, again));
    if (fault !== undefined) report(fault);
  }
}

async function differenceIn(
  session: SqlSession,
  { chunk, events: expected, range_start: start, range_end: end, position }: ChunkRow,
): Promise<ChainFault | undefined> {
  const [row] = await session.query<{ events: number }>(COUNT, [start, end, position]);
  const found = row?.events ?? 0;
  if (found === expected) return undefined;
  const [from, to] = [isoFromEpoch(start), isoFromEpoch(end)];
  const message = `The chunk ${chunk} (${from} to ${to}) has ${counted(found, "event")} up to position ${position} in place of ${expected}.`;
  return { kind: "chunk-differs", message, chunk, from, to, expected, found };
}

interface ChunkRow {
  readonly chunk: string;
  readonly events: number;
  readonly range_start: number;
  readonly range_end: number;
  readonly position: number;
}
