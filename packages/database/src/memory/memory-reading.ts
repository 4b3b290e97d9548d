import type { StoredEvent } from "@synap/types";
import {
  type EventFilter,
  type EventPage,
  moment,
  type PageRequest,
  readEventPage,
} from "../reading/event-page.ts";
import { cutPage } from "../reading/page-bytes.ts";
import { checkReadAll, type ReadAllPage, type ReadAllRequest } from "../reading/read-all.ts";
import type { MemoryLog } from "./memory-log.ts";

export function readAllFromMemory(log: MemoryLog, request: ReadAllRequest): ReadAllPage {
  checkReadAll(request);
  const { after, limit, maxBytes, types, aggregateType, stream } = request;
  const { watermark } = log;
  const asked = log.events.filter(
    (event) =>
      event.position > after &&
      (types === undefined || types.includes(event.type)) &&
      (aggregateType ?? event.aggregateType) === event.aggregateType &&
      (stream?.aggregateType ?? event.aggregateType) === event.aggregateType &&
      (stream?.aggregateId ?? event.aggregateId) === event.aggregateId,
  );
  const { events } = cutPage(asked.slice(0, limit), maxBytes);
  const last = events.at(-1);
  return events.length < asked.length && last !== undefined
    ? { events, position: last.position, watermark, caughtUp: false }
    : { events, position: Math.max(after, watermark), watermark, caughtUp: true };
}

export function queryMemory(log: MemoryLog, filter: EventFilter, page: PageRequest): Promise<EventPage> {
  return readEventPage(filter, page, async ({ cursor, ascending, limit, maxBytes }) => {
    const sign = ascending ? 1 : -1;
    const found = log.events
      .filter((event) => matches(event, filter))
      .filter((event) => cursor === undefined || sign * order(event.timestamp, event.position, cursor) > 0)
      .sort((one, other) => sign * order(one.timestamp, one.position, other))
      .slice(0, limit);
    return cutPage(found, maxBytes);
  });
}

function matches(event: StoredEvent, filter: EventFilter): boolean {
  const { from, to, types } = filter;
  const time = Date.parse(event.timestamp);
  return (
    (from === undefined || time >= moment(from).valueOf()) &&
    (to === undefined || time < moment(to).valueOf()) &&
    (types === undefined || types.includes(event.type)) &&
    (filter.aggregateType ?? event.aggregateType) === event.aggregateType &&
    (filter.aggregateId ?? event.aggregateId) === event.aggregateId &&
    (filter.userId === undefined || filter.userId === event.userId) &&
    (filter.correlationId === undefined || filter.correlationId === event.correlationId)
  );
}

function order(
  timestamp: string,
  position: number,
  than: { readonly timestamp: string | number; readonly position: number },
): number {
  return Date.parse(timestamp) - new Date(than.timestamp).valueOf() || position - than.position;
}
