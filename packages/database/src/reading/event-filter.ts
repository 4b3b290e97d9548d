import { checkMoment, checkPast, type EventQuery, type JsonObject } from "@synap/types";
import { checkJson } from "@synap/types/internal";
import { UUID } from "./get-event-by-id.ts";

/**
 * A filter for events. All given conditions must hold. `Name` is the union of the event types that `types` may name.
 *
 * No index serves `source`, `validAt` and `data`: see `checkFilter`.
 */
export interface EventFilter<Name extends string = string>
  extends Omit<EventQuery<Name>, "type" | "order" | "pageSize" | "signal"> {
  /** One of these types. */
  readonly types?: readonly Name[] | undefined;
}

/** A filter whose moments are Dates, and whose values were checked. */
export interface CheckedFilter extends EventFilter {
  readonly from?: Date;
  readonly to?: Date;
  readonly recordedFrom?: Date;
  readonly recordedTo?: Date;
  readonly validAt?: Date;
  readonly knownAt?: Date;
}

/** Thrown for a filter with an invalid value, or one for which every event would have to be read. */
export class EventFilterError extends RangeError {
  override readonly name = "EventFilterError";
  readonly code: "FILTER_INVALID" | "FILTER_TOO_WIDE";
  /** The condition, for example `data`. */
  readonly condition: string;
  /** The fault, to follow the name of the condition. */
  readonly reason: string;

  constructor(code: EventFilterError["code"], condition: string, reason: string) {
    super(`"${condition}" ${reason}.`);
    this.code = code;
    this.condition = condition;
    this.reason = reason;
  }
}

/** The fields of an event that a filter may compare for equality, and their columns. */
export const EQUAL_COLUMNS = {
  aggregateType: "aggregate_type",
  aggregateId: "aggregate_id",
  userId: "user_id",
  correlationId: "correlation_id",
  causationId: "causation_id",
  createdBy: "created_by",
  source: "source",
} as const;

/** A field that a filter may compare for equality. */
export type EqualField = keyof typeof EQUAL_COLUMNS;

/** The fields, in a fixed order. */
export const EQUAL_FIELDS = Object.keys(EQUAL_COLUMNS) as readonly EqualField[];

/** Maximum size of `data` in a filter, in bytes of JSON. */
export const MAX_DATA_FILTER_BYTES = 4_096;

const MOMENTS = ["from", "to", "recordedFrom", "recordedTo", "validAt"] as const;
/** Conditions of a filter that no index answers. */
export const UNINDEXED_CONDITIONS = ["source", "validAt", "data"] as const;
/** Conditions of a filter of which one is needed beside those that no index answers. */
export const NARROWING_CONDITIONS = [
  "types",
  "aggregateType",
  "aggregateId",
  "userId",
  "correlationId",
  "causationId",
  "createdBy",
  "from",
  "recordedFrom",
] as const;

/**
 * Checks a filter. One whose conditions have no index needs another condition beside them, so that a forgotten one does not
 * read the whole log.
 * @throws InvalidMomentError, MomentInFutureError, EventFilterError
 */
export function checkFilter(filter: EventFilter): CheckedFilter {
  const { from: _from, to: _to, recordedFrom: _after, recordedTo: _before, ...others } = filter;
  const { validAt: _valid, knownAt: _known, ...rest } = others;
  const moments: Partial<Record<(typeof MOMENTS)[number] | "knownAt", Date>> = {};
  for (const name of MOMENTS) {
    const value = filter[name];
    if (value !== undefined) moments[name] = checkMoment(name, value);
  }
  if (filter.knownAt !== undefined) moments.knownAt = checkPast("knownAt", filter.knownAt);
  const { knownAt, recordedTo } = moments;
  if (knownAt !== undefined) {
    // Events are recorded to the millisecond, and the end of a filter is exclusive.
    const end = new Date(knownAt.valueOf() + 1);
    moments.recordedTo = recordedTo === undefined || end < recordedTo ? end : recordedTo;
  }
  const { corrections } = filter;
  if (corrections !== undefined && corrections !== "applied" && corrections !== "marked") {
    throw new EventFilterError("FILTER_INVALID", "corrections", 'must be "applied" or "marked"');
  }
  const { causationId, data } = filter;
  if (causationId !== undefined && !UUID.test(causationId)) {
    throw new EventFilterError("FILTER_INVALID", "causationId", "must be a UUID");
  }
  if (data !== undefined) checkData(data);
  const unindexed = UNINDEXED_CONDITIONS.find((name) => filter[name] !== undefined);
  if (unindexed !== undefined && NARROWING_CONDITIONS.every((name) => filter[name] === undefined)) {
    throw new EventFilterError(
      "FILTER_TOO_WIDE",
      unindexed,
      "has no index, so every event would be read: give a type, an aggregate, a user, a flow, a cause, a creator, or the start of a time range too",
    );
  }
  return {
    ...rest,
    ...moments,
    ...(causationId !== undefined && { causationId: causationId.toLowerCase() }),
  };
}

function checkData(data: JsonObject): void {
  const [issue] = checkJson(data, { at: ["data"] });
  if (issue !== undefined) {
    const where = issue.path === "data" ? "" : ` (at ${issue.path})`;
    throw new EventFilterError("FILTER_INVALID", "data", `${issue.reason}${where}`);
  }
  if (Buffer.byteLength(JSON.stringify(data)) > MAX_DATA_FILTER_BYTES) {
    throw new EventFilterError(
      "FILTER_INVALID",
      "data",
      `must take at most ${MAX_DATA_FILTER_BYTES} bytes as JSON`,
    );
  }
}

/** Writes a filter and an order in a canonical form, to which cursors belong. */
export function describeScope(filter: CheckedFilter, order: "asc" | "desc"): string {
  const { from, to, types, aggregateType, aggregateId, userId, correlationId, ...later } = filter;
  const parts = [from, to, types && [...types].sort(), aggregateType, aggregateId, userId, correlationId];
  // Left out where they aren't used, so that cursors stay valid which a release without these conditions has issued.
  const further = Object.entries(later)
    .filter(([, value]) => value !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([order, ...parts.map((part) => part ?? null), ...further]);
}
