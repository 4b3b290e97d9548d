import type { SqlSession } from "@synap/database";
import { BROKEN_STREAMS, countRows, DISORDERED_STREAMS, STORED_TWICE } from "./store-laws.ts";
import type { StoredRow } from "./stored-rows.ts";
import type { AttemptEnding, WriterLine } from "./writer-journal.ts";

/** The content of the store, compared with its answers to the writers. */
export interface StoreFindings {
  /** Events that the store reported as stored and that are missing, or are stored elsewhere. */
  readonly acknowledgedAndLost: number;
  /** Events of refused appends and of transactions and savepoints that were undone, which are stored all the same. */
  readonly undoneAndStored: number;
  /** Ids that two rows have. */
  readonly storedTwice: number;
  /** Versions of a stream that two events have, or that two writers were given. */
  readonly versionsTakenTwice: number;
  /** Streams whose versions are not 1, 2, 3 ... up to the version in the stream's row. */
  readonly brokenStreams: number;
  /** Positions that two events have. */
  readonly positionsTakenTwice: number;
  /** Streams in which a later version has a lower position. */
  readonly disorderedStreams: number;
  /** Events that were sent again and got another response than the first time. */
  readonly answeredDifferently: number;
}

/** Counts of what the writers did. */
export interface WriterTotals extends Readonly<Record<AttemptEnding, number>> {
  readonly acknowledged: number;
}

export function totalOf(lines: readonly WriterLine[]): WriterTotals {
  const totals = {
    acknowledged: 0,
    refused: 0,
    rolledBack: 0,
    savepointsUndone: 0,
    deadlocks: 0,
    sentAgain: 0,
    unknown: 0,
  };
  for (const line of lines) {
    if ("acknowledged" in line) totals.acknowledged += line.acknowledged.length;
    else if ("ended" in line) totals[line.ended] += 1;
  }
  return totals;
}

/** @param lines the journals of all writers */
export async function examineStore(
  session: SqlSession,
  stored: ReadonlyMap<string, StoredRow>,
  lines: readonly WriterLine[],
): Promise<StoreFindings> {
  const versions = new Set<string>();
  const positions = new Set<number>();
  for (const { stream, version, position } of stored.values()) {
    versions.add(`${stream} ${version}`);
    positions.add(position);
  }
  const owners = new Map<string, string>();
  let [acknowledgedAndLost, undoneAndStored, answeredDifferently, claimedTwice] = [0, 0, 0, 0];
  for (const line of lines) {
    if ("undone" in line) undoneAndStored += line.undone.filter((id) => stored.has(id)).length;
    else if ("answeredDifferently" in line) answeredDifferently += 1;
    else if ("acknowledged" in line) {
      for (const { id, position, stream, version } of line.acknowledged) {
        const row = stored.get(id);
        if (row?.position !== position || row.stream !== stream || row.version !== version) {
          acknowledgedAndLost += 1;
        }
        const place = `${stream} ${version}`;
        if ((owners.get(place) ?? id) !== id) claimedTwice += 1;
        owners.set(place, id);
      }
    }
  }
  return {
    acknowledgedAndLost,
    undoneAndStored,
    storedTwice: await countRows(session, STORED_TWICE),
    versionsTakenTwice: stored.size - versions.size + claimedTwice,
    brokenStreams: await countRows(session, BROKEN_STREAMS),
    positionsTakenTwice: stored.size - positions.size,
    disorderedStreams: await countRows(session, DISORDERED_STREAMS),
    answeredDifferently,
  };
}
