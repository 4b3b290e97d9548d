import { nameOf, type Reading } from "./reader-journal.ts";
import type { StoredRow } from "./stored-rows.ts";
import { END_MARKER } from "./stress-events.ts";

const END_STREAM = nameOf(END_MARKER.stream);

/** The events that a reader got, compared with those that it should have got. */
export interface ReaderFindings {
  /** Events it was given, the end marker aside. */
  readonly read: number;
  /** Stored events that it never got, and the end marker (any of them counts). */
  readonly lost: number;
  /** Events it got once more. */
  readonly repeated: number;
  /** Events it got after one with a higher position. */
  readonly outOfOrder: number;
  /** Events that were not the next version of their stream. */
  readonly versionsOutOfOrder: number;
  /** Events it got that are not stored, or not like that. */
  readonly unknown: number;
}

/**
 * @param stored every event of the store, by id
 * @param aggregateType what the reader asked for; undefined: everything
 */
export function examineReader(
  reading: Reading,
  stored: ReadonlyMap<string, StoredRow>,
  aggregateType: string | undefined,
): ReaderFindings {
  const beginsAfter = reading.beginsAfter ?? 0;
  const seen = new Set<string>();
  const versions = new Map<string, number>();
  let [repeated, outOfOrder, versionsOutOfOrder, unknown, last] = [0, 0, 0, 0, beginsAfter];
  for (const event of reading.events) {
    if (seen.has(event.id)) {
      repeated += 1;
      continue;
    }
    seen.add(event.id);
    if (event.position <= last) outOfOrder += 1;
    last = Math.max(last, event.position);
    // A live reader comes to know each stream somewhere in the middle.
    const before = versions.get(event.stream) ?? (beginsAfter === 0 ? 0 : event.version - 1);
    if (event.version !== before + 1) versionsOutOfOrder += 1;
    versions.set(event.stream, Math.max(before, event.version));
    const row = stored.get(event.id);
    if (row?.position !== event.position || row.version !== event.version || row.stream !== event.stream) {
      unknown += 1;
    }
  }
  let lost = reading.events.some(({ stream }) => stream === END_STREAM) ? 0 : 1;
  for (const [id, row] of stored) {
    if (row.stream === END_STREAM) continue;
    const isMeant = aggregateType === undefined || row.stream.startsWith(`${aggregateType}/`);
    if (isMeant && row.position > beginsAfter && !seen.has(id)) lost += 1;
  }
  const read = reading.events.filter(({ stream }) => stream !== END_STREAM).length;
  return { read, lost, repeated, outOfOrder, versionsOutOfOrder, unknown };
}
