import type { JsonValue, MaskedValue, StoredEvent } from "@synap/types";
import {
  HIDDEN_TEXT,
  isSealedValue,
  pointerTo,
  type Replacement,
  replaceValues,
  type SealedValue,
  type ValueStep,
} from "@synap/types/internal";
import { ARCHIVED_BETWEEN, refuseArchived } from "../archive/archived-events.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { openValue } from "../personal-data/subject-cipher.ts";
import type { KeyState, SubjectKeys } from "../personal-data/subject-keys.ts";
import {
  type GuardedRow,
  MAX_PAGE_BYTES,
  readGuarded,
  readPage,
  selectGuardedPage,
} from "../reading/page-bytes.ts";
import type { NextAppends } from "../reading/read-all.ts";

/** A part of an export. */
export interface ExportedPage {
  /** The events about the subject, opened for it alone, in the order of positions. Often none. */
  readonly events: readonly StoredEvent[];
  /** Position up to which the log was searched. */
  readonly position: number;
  /** Position of the end of the log. */
  readonly last: number;
}

/** Number of events that one statement searches. */
const RANGE = 10_000;
/** Largest number of events of a page. */
const PAGE = 500;

const NEXT = `
SELECT watermark, up_to, more, min_timestamp AS "from", max_timestamp AS "to" FROM synap.next_appends($1, $2)`;

interface NextRange extends Pick<NextAppends, "watermark" | "up_to" | "more"> {
  readonly from: Date | null;
  readonly to: Date | null;
}

// A subject's name may be in an event for another reason than a sealed value: what is read is looked at once more.
const EVENTS = selectGuardedPage(
  ARCHIVED_BETWEEN,
  `
  SELECT *
    FROM synap.events
   WHERE "position" > $1 AND "position" <= $2 AND "timestamp" BETWEEN $6 AND $7
     AND (user_id = $5
          OR strpos(data::text, to_json($5::text)::text) > 0 AND strpos(data::text, '"$sealed"') > 0)
   ORDER BY "position"
   LIMIT $3`,
  `"position"`,
  "$4",
);

/**
 * Reads everything that the log has about a subject: the events with a value that is sealed for it, and those of which it is the `userId`.
 * Values of other subjects are masked. No more than a page is in memory.
 *
 * @throws KeyProviderError, DatabaseUnavailableError; EventsArchivedError at the first archived event, of whomever it is
 */
export async function* exportSubject(
  session: SqlSession,
  keys: Pick<SubjectKeys, "find">,
  subject: string,
): AsyncGenerator<ExportedPage, void, void> {
  let after = 0;
  for (;;) {
    const [next] = await session.query<NextRange>(NEXT, [after, RANGE]);
    if (next === undefined || next.up_to === null) return;
    const { up_to: upTo, from, to } = next;
    for (let isCut = true; isCut; ) {
      const place = [after, upTo, PAGE, MAX_PAGE_BYTES, subject, from, to];
      const { rows, archived } = readGuarded(await session.query<GuardedRow>(EVENTS, place));
      refuseArchived(archived);
      const page = readPage(rows);
      isCut = page.isCut || page.events.length === PAGE;
      after = isCut ? (page.events.at(-1)?.position ?? upTo) : upTo;
      const found = page.events.flatMap((event) => about(event, subject) ?? []);
      const isSealed = found.some(({ own }) => own.length > 0);
      const key = isSealed ? (await keys.find(new Set([subject]))).get(subject) : undefined;
      const events = found.map((each) => openedFor(each, key));
      yield { events, position: after, last: Math.max(after, next.watermark) };
    }
    if (!next.more) return;
  }
}

interface SealedAt {
  readonly path: readonly ValueStep[];
  readonly value: SealedValue;
}

interface EventAbout {
  readonly event: StoredEvent;
  /** The values of the subject. */
  readonly own: readonly SealedAt[];
  readonly others: readonly SealedAt[];
}

function about(event: StoredEvent, subject: string): EventAbout | undefined {
  const sealed = sealedIn(event.data, []);
  const own = sealed.filter(({ value }) => value.subject === subject);
  if (own.length === 0 && event.userId !== subject) return undefined;
  return { event, own, others: sealed.filter(({ value }) => value.subject !== subject) };
}

/** The sealed values are found by their form, so that an export needs no event type of the application. */
function sealedIn(value: unknown, path: readonly ValueStep[]): SealedAt[] {
  if (isSealedValue(value)) return [{ path, value }];
  if (Array.isArray(value)) return value.flatMap((item, index) => sealedIn(item, [...path, index]));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => sealedIn(field, [...path, name]));
}

function openedFor({ event, own, others }: EventAbout, key: KeyState | undefined): StoredEvent {
  if (own.length + others.length === 0) return event;
  const values: Replacement[] = [];
  const masked: MaskedValue[] = [];
  const hide = (path: readonly ValueStep[], reason: MaskedValue["reason"]) => {
    values.push({ path, value: HIDDEN_TEXT });
    masked.push({ path: pointerTo(path), reason });
  };
  for (const { path, value } of own) {
    const plain = key === undefined || key === "erased" ? undefined : opened(event, path, value, key);
    if (plain !== undefined) values.push({ path, value: plain.value });
    else hide(path, key === "erased" ? "erased" : "unreadable");
  }
  for (const { path } of others) hide(path, "not-allowed");
  const shown = { ...event, data: replaceValues(event.data, values) };
  return masked.length === 0 ? shown : { ...shown, masked };
}

function opened(
  { id: eventId, type }: StoredEvent,
  path: readonly ValueStep[],
  { $sealed, subject }: SealedValue,
  key: Exclude<KeyState, "erased">,
): { readonly value: JsonValue } | undefined {
  return openValue(key, { eventId, type, path: pointerTo(path), subject }, $sealed);
}
