import type { ArchivedChunk, DueChunk } from "@synap/database/internal";
import { count, counted } from "@synap/types/internal";
import { formatTable } from "../terminal/table.ts";
import type { ArchivedNow } from "./archive-chunk.ts";

/** The width of tables: the names of chunks are for restoring them, and so are not cut. */
const WHOLE_NAMES = Number.POSITIVE_INFINITY;

/** Describes a chunk that was archived. */
export function describeDone({ chunk, events, file, bytes, dropped }: ArchivedNow): string {
  return `${chunk}: ${counted(events, "event")} in ${file} (${counted(bytes, "byte")}), verified${dropped ? " and dropped" : ""}`;
}

/** Lists the chunks that may be archived. */
export function describeDue(due: readonly DueChunk[]): string {
  if (due.length === 0) return "No chunk can be archived.";
  const rows = due.map(({ chunk, events, from, to, state = "" }) => [chunk, count(events), from, to, state]);
  const table = formatTable(
    [
      { title: "chunk" },
      { title: "events", align: "right" },
      { title: "from" },
      { title: "to" },
      { title: "state" },
    ],
    rows,
    WHOLE_NAMES,
  );
  return `${table}\nNothing was changed.`;
}

/** Lists the chunks that were archived, with their files. */
export function describeArchived(chunks: readonly ArchivedChunk[]): string {
  if (chunks.length === 0) return "No chunk was archived.";
  const rows = chunks.map(({ chunk, state, events, from, to, destination, files }) => [
    chunk,
    state,
    count(events),
    from,
    to,
    `${destination} ${files[0]?.name ?? ""}`,
  ]);
  return formatTable(
    [
      { title: "chunk" },
      { title: "state" },
      { title: "events", align: "right" },
      { title: "from" },
      { title: "to" },
      { title: "archive" },
    ],
    rows,
    WHOLE_NAMES,
  );
}
