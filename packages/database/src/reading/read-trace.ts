import type { StoredEvent, Trace, TraceNode } from "@synap/types";
import type { EventStore } from "../event-store.ts";
import type { PageRequest } from "./event-page.ts";

/**
 * Reads one page of the events of a flow, by time, and orders it by cause. On the first page is also the event that has the
 * correlation id as its own id: reactions to an event without one are correlated so. Undefined when there is no such event.
 * @throws InvalidCursorError, and RangeError for a limit out of bounds.
 */
export async function readTrace(
  store: Pick<EventStore, "getById" | "query">,
  correlationId: string,
  page: Omit<PageRequest, "order">,
): Promise<Trace<StoredEvent> | undefined> {
  const { events, nextCursor } = await store.query({ correlationId }, { ...page, order: "asc" });
  const first = page.cursor === undefined ? await store.getById(correlationId) : undefined;
  const isApart = first !== undefined && first.correlationId !== correlationId;
  if (events.length === 0 && !isApart && page.cursor === undefined) return undefined;
  return {
    correlationId,
    nodes: orderByCause(isApart ? [first, ...events] : events),
    ...(nextCursor !== undefined && { nextCursor }),
  };
}

/**
 * Orders events as a tree: each after the one that caused it, one deeper, and in their own order beside each other. One whose cause
 * is not among them is a root. Where events cause each other in a circle, which only a sender's mistake can make, the
 * first of the circle is one. Neither deep nor circular chains overflow: every event is visited once, without recursion.
 */
export function orderByCause(events: readonly StoredEvent[]): TraceNode<StoredEvent>[] {
  const byId = new Map(events.map((event) => [event.id, event]));
  const causeOf = ({ causationId }: StoredEvent) => byId.get(causationId ?? "");
  const effects = new Map<StoredEvent | undefined, StoredEvent[]>();
  for (const event of events) {
    const cause = causeOf(event);
    const others = effects.get(cause);
    if (others === undefined) effects.set(cause, [event]);
    else others.push(event);
  }
  const nodes: TraceNode<StoredEvent>[] = [];
  const seen = new Set<StoredEvent>();
  const addFrom = (root: StoredEvent) => {
    const open: TraceNode<StoredEvent>[] = [{ depth: 0, event: root }];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      const { depth, event } = node;
      if (seen.has(event)) continue;
      seen.add(event);
      nodes.push(node);
      for (const effect of (effects.get(event) ?? []).toReversed())
        open.push({ depth: depth + 1, event: effect });
    }
  };
  for (const root of effects.get(undefined) ?? []) addFrom(root);
  const order = new Map(events.map((event, index) => [event, index]));
  const orderOf = (event: StoredEvent) => order.get(event) ?? 0;
  for (const event of events) {
    if (seen.has(event)) continue;
    const circle = circleAbove(event, causeOf);
    addFrom(circle.reduce((one, other) => (orderOf(other) < orderOf(one) ? other : one)));
  }
  return nodes;
}

/** The events of the circle in which the causes of an event end, which no root has. */
function circleAbove(
  event: StoredEvent,
  causeOf: (event: StoredEvent) => StoredEvent | undefined,
): readonly StoredEvent[] {
  const way = new Set<StoredEvent>();
  let next: StoredEvent | undefined = event;
  for (; next !== undefined && !way.has(next); next = causeOf(next)) way.add(next);
  const above = [...way];
  return next === undefined ? above : above.slice(above.indexOf(next));
}
