import { eventsInForce, type StoredEvent } from "@synap/types";
import { markAmended } from "@synap/types/internal";
import { PositionLostError } from "../position-lost.ts";
import {
  type CheckedFilter,
  EQUAL_FIELDS,
  type EqualField,
  type EventFilter,
} from "../reading/event-filter.ts";
import { type EventPage, type PageRequest, readEventPage } from "../reading/event-page.ts";
import { cutPage } from "../reading/page-bytes.ts";
import { checkReadAll, fieldConditions, type ReadAllPage, type ReadAllRequest } from "../reading/read-all.ts";
import { containsJson } from "./contains-json.ts";
import type { ShownLog } from "./memory-log.ts";

export function readAllFromMemory(log: ShownLog, request: ReadAllRequest): ReadAllPage {
  checkReadAll(request);
  const { after, limit, maxBytes, types, stream } = request;
  const fields: Partial<Record<EqualField, string | undefined>> = {
    ...fieldConditions(request),
    aggregateId: stream?.aggregateId,
  };
  const { watermark } = log;
  if (after > watermark && after !== Number.MAX_SAFE_INTEGER)
    throw new PositionLostError({ position: after, resumeAfter: watermark, epoch: null });
  const asked = log.events.filter(
    (event) =>
      event.position > after &&
      (types === undefined || types.includes(event.type)) &&
      (stream?.aggregateType ?? event.aggregateType) === event.aggregateType &&
      EQUAL_FIELDS.every((name) => fields[name] === undefined || fields[name] === event[name]),
  );
  const { events } = cutPage(asked.slice(0, limit), maxBytes);
  const last = events.at(-1);
  return events.length < asked.length && last !== undefined
    ? { events, position: last.position, watermark, caughtUp: false }
    : { events, position: Math.max(after, watermark), watermark, caughtUp: true };
}

export function queryMemory(
  log: Pick<ShownLog, "events">,
  filter: EventFilter,
  page: PageRequest,
): Promise<EventPage> {
  return readEventPage(filter, page, async ({ filter: checked, cursor, ascending, limit, maxBytes }) => {
    const sign = ascending ? 1 : -1;
    const { corrections, knownAt } = checked;
    const shown = corrections === "applied" ? eventsInForce(log.events, { knownAt }) : log.events;
    const found = shown
      .filter((event) => matches(event, checked))
      .filter((event) => cursor === undefined || sign * order(event.timestamp, event.position, cursor) > 0)
      .sort((one, other) => sign * order(one.timestamp, one.position, other))
      .slice(0, limit);
    return cutPage(corrections === "marked" ? markAmended(found, log.events, knownAt) : found, maxBytes);
  });
}

function matches(event: StoredEvent, filter: CheckedFilter): boolean {
  const { types, validAt, data } = filter;
  return (
    EQUAL_FIELDS.every((name) => filter[name] === undefined || filter[name] === event[name]) &&
    (types === undefined || types.includes(event.type)) &&
    isWithin(event.timestamp, filter.from, filter.to) &&
    isWithin(event.recordedAt, filter.recordedFrom, filter.recordedTo) &&
    (validAt === undefined || isValidAt(event, validAt)) &&
    (data === undefined || containsJson(event.data, data))
  );
}

function isWithin(time: string, from: Date | undefined, to: Date | undefined): boolean {
  const at = Date.parse(time);
  return (from === undefined || at >= from.valueOf()) && (to === undefined || at < to.valueOf());
}

function isValidAt({ validFrom, validTo, timestamp }: StoredEvent, at: Date): boolean {
  return (
    Date.parse(validFrom ?? timestamp) <= at.valueOf() &&
    (validTo === undefined || at.valueOf() < Date.parse(validTo))
  );
}

function order(
  timestamp: string,
  position: number,
  than: { readonly timestamp: string | number; readonly position: number },
): number {
  return Date.parse(timestamp) - new Date(than.timestamp).valueOf() || position - than.position;
}
