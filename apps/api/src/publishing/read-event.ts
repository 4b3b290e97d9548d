import type { EventCatalogue, EventIssue, SynapEvent } from "@synap/types";
import { checkTimestampWindow, MAX_EVENT_FIELDS } from "@synap/types/internal";

/** A checked event of a request, or its issues. */
export type EventReading =
  | { readonly ok: true; readonly event: SynapEvent; readonly isIdentified: boolean }
  | { readonly ok: false; readonly issues: readonly EventIssue[] };

/** Rules that an event is checked against. */
export interface EventRules {
  readonly catalogue: EventCatalogue;
  /** Maximum age of an event, in milliseconds; undefined for a backfill, which may be any age. */
  readonly lateness: number | undefined;
}

/**
 * Fills in defaults and checks one event. `isIdentified` means that the sender gave it an id or an idempotency key; without
 * one it can't be a duplicate. An event from the future is refused even in a backfill.
 */
export function readEvent(value: unknown, rules: EventRules): EventReading {
  const reading = rules.catalogue.safeParseSynapEvent(
    isObject(value) ? complete(value, rules.catalogue) : value,
  );
  if (!reading.ok) return reading;
  const { event } = reading;
  const issue = checkTimestampWindow(event, {
    now: Date.now(),
    lateness: rules.lateness ?? Number.POSITIVE_INFINITY,
  });
  if (issue !== undefined) return { ok: false, issues: [issue] };
  return { ok: true, event, isIdentified: isObject(value) && ("id" in value || "idempotencyKey" in value) };
}

/**
 * Fills in defaults for absent fields. Present fields are unchanged, including null and unknown ones, so that the check
 * that follows refuses them.
 */
function complete(value: object, catalogue: EventCatalogue): object {
  // The check refuses it, and copying so many fields would cost more than everything else.
  if (Object.keys(value).length > MAX_EVENT_FIELDS) return value;
  const given: Partial<Record<keyof SynapEvent, unknown>> = value;
  const { id, version, aggregateType, aggregateId, createdBy, source, timestamp } = catalogue.completeEvent({
    type: textOr(given.type, ""),
    data: {},
    // Passed on, so that no id is generated for an event that has one.
    id: textOr(given.id, undefined),
    aggregateId: textOr(given.aggregateId, undefined),
    timestamp: textOr(given.timestamp, undefined),
    userId: textOr(given.userId, undefined),
  });
  return { id, version, aggregateType, aggregateId, createdBy, source, timestamp, ...value };
}

function textOr<Fallback>(value: unknown, fallback: Fallback): string | Fallback {
  return typeof value === "string" ? value : fallback;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
