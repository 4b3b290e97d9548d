import type { EventInput, StoredEvent, SynapEvent } from "../event/event.ts";
import { isPlainUuid } from "../event/plain-uuid.ts";
import type { EventIssue } from "../issues/event-issue.ts";
import type { JsonObject } from "../json/json.ts";

/** The fields of `metadata` by which an event amends an earlier one. */
const KINDS = { corrects: "correction", retracts: "retraction" } as const;
type AmendmentField = keyof typeof KINDS;
const FIELDS = ["corrects", "retracts"] as const satisfies readonly AmendmentField[];

/** The amended event of an amendment, and how it is amended. */
export interface Amendment {
  /** A correction takes the place of the event that it names; a retraction says that it never held. */
  readonly kind: (typeof KINDS)[AmendmentField];
  /** The id of the amended event: an original, never a correction or a retraction itself. */
  readonly eventId: string;
}

/** The part of an event that says what it amends. */
interface Amending {
  readonly metadata?: JsonObject | undefined;
}

/** Reads from an event's metadata which event it amends; undefined for an event that amends none. */
export function amendmentOf({ metadata }: Amending): Amendment | undefined {
  for (const field of FIELDS) {
    const eventId = metadata?.[field];
    if (isPlainUuid(eventId)) return { kind: KINDS[field], eventId };
  }
  return undefined;
}

/** Thrown for an event with masked values, whose copy would store the masks. Read it with the right to its personal data. */
export class MaskedEventError extends Error {
  override readonly name = "MaskedEventError";
  readonly code = "EVENT_MASKED";
  readonly eventId: string;

  constructor(eventId: string) {
    super(
      `Event ${eventId} has masked values, which an event made of it would store. Read it with the right to its personal data.`,
    );
    this.eventId = eventId;
  }
}

/** The fields of a correction or a retraction that its author may choose. */
export interface AmendmentOptions
  extends Pick<
    EventInput,
    | "id"
    | "timestamp"
    | "createdBy"
    | "source"
    | "requestId"
    | "correlationId"
    | "causationId"
    | "idempotencyKey"
  > {
  /** Why, for people. It is kept as `reason` in the metadata. */
  readonly reason?: string | undefined;
  /** Further metadata. */
  readonly metadata?: JsonObject | undefined;
}

/** The content of a correction. */
export interface CorrectionOptions<Data> extends AmendmentOptions {
  /** The whole content that is right, not only what differs. */
  readonly data: Data;
  /** Start of the period in which it holds. Default: that of the corrected event. */
  readonly validFrom?: string | undefined;
  /** End of that period; null for none. Default: that of the corrected event. */
  readonly validTo?: string | null | undefined;
}

/** A correction or a retraction, to publish or to append. */
export interface AmendingEvent<Type extends string, Data> extends EventInput<Type, Data> {
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly metadata: JsonObject;
}

type AmendedEvent<Type extends string, Data> = Pick<
  StoredEvent<Type, Data>,
  | "id"
  | "type"
  | "data"
  | "aggregateType"
  | "aggregateId"
  | "userId"
  | "schemaVersion"
  | "timestamp"
  | "validFrom"
  | "validTo"
  | "metadata"
  | "masked"
>;

/**
 * Makes the event that corrects another: of the same type, stream and user, valid for the same period unless that is corrected too. It
 * happens now, and what it says holds from when the corrected event's did. The corrected event must be stored, and stays as it is. Of a
 * correction or a retraction, the event that it names is corrected.
 *
 * @example
 * await synap.publish(correctionOf(event, { data: { ...event.data, total: 12.5 }, reason: "the scale was wrong" }));
 */
export function correctionOf<Type extends string, Data>(
  event: AmendedEvent<Type, Data>,
  correction: CorrectionOptions<NoInfer<Data>>,
): AmendingEvent<Type, Data> {
  // The new data is mostly a copy of the old with one change.
  if (event.masked !== undefined) throw new MaskedEventError(event.id);
  const { data, validFrom, validTo, ...options } = correction;
  return amend(event, "corrects", data, options, {
    validFrom: validFrom ?? event.validFrom ?? event.timestamp,
    validTo: validTo === null ? undefined : (validTo ?? event.validTo),
  });
}

/**
 * Makes the event that takes another back, as never having held. It has the type, the stream, the user and the data of the retracted
 * event, which must be stored, and stays as it is. Of a correction, the event that it names is retracted, with all of its corrections; a
 * later correction restores it.
 *
 * @throws MaskedEventError
 * @example
 * await synap.publish(retractionOf(event, { reason: "entered twice" }));
 */
export function retractionOf<Type extends string, Data>(
  event: AmendedEvent<Type, Data>,
  options: AmendmentOptions & { readonly reason: string },
): AmendingEvent<Type, Data> {
  if (event.masked !== undefined) throw new MaskedEventError(event.id);
  const { validFrom = event.timestamp, validTo } = event;
  return amend(event, "retracts", event.data, options, { validFrom, validTo });
}

function amend<Type extends string, Data>(
  event: AmendedEvent<Type, Data>,
  field: AmendmentField,
  data: Data,
  { reason, metadata, ...options }: AmendmentOptions,
  validity: { readonly validFrom: string; readonly validTo: string | undefined },
): AmendingEvent<Type, Data> {
  const { type, aggregateType, aggregateId, userId, schemaVersion } = event;
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return {
    ...given,
    type,
    // The version that the data was read at: over HTTP and in SQL, none means the first.
    ...(schemaVersion !== undefined && { schemaVersion }),
    aggregateType,
    aggregateId,
    ...(userId !== undefined && { userId }),
    data,
    validFrom: validity.validFrom,
    ...(validity.validTo !== undefined && { validTo: validity.validTo }),
    metadata: {
      ...metadata,
      ...(reason !== undefined && { reason }),
      [field]: amendmentOf(event)?.eventId ?? event.id,
    },
  };
}

/** Finds the faults in the form of an amendment, whose event need not be looked up. */
export function amendmentFormIssues(metadata: JsonObject): EventIssue[] {
  const named = FIELDS.filter((field) => metadata[field] !== undefined);
  if (named.length > 1) {
    const reason = "cannot be given together with corrects";
    return [{ path: "metadata.retracts", code: "amendment-invalid", reason }];
  }
  return named
    .filter((field) => !isPlainUuid(metadata[field]))
    .map((field) => ({
      path: `metadata.${field}`,
      code: "amendment-invalid",
      reason: "must be the id of an event, a UUID in lower case",
    }));
}

/** The parts of a stored event by which an amendment of it is judged. */
export type AmendableEvent = Pick<StoredEvent, "id" | "type" | "aggregateType" | "aggregateId" | "metadata">;

/**
 * Judges an amendment against the event that it names: undefined if that may be amended so.
 *
 * @param amended the event that it names; undefined if there is none, or none that the sender may see
 */
export function amendmentIssue(
  event: Pick<SynapEvent, "type" | "aggregateType" | "aggregateId"> & Amending,
  amended: AmendableEvent | undefined,
): EventIssue | undefined {
  const amendment = amendmentOf(event);
  if (amendment === undefined) return undefined;
  const path = amendment.kind === "correction" ? "metadata.corrects" : "metadata.retracts";
  if (amended === undefined) {
    return { path, code: "amended-event-unknown", reason: "names an event that is not stored" };
  }
  const isOther =
    amended.type !== event.type ||
    amended.aggregateType !== event.aggregateType ||
    amended.aggregateId !== event.aggregateId;
  if (isOther)
    return { path, code: "amended-event-other", reason: "names an event of another type or stream" };
  const original = amendmentOf(amended);
  if (original === undefined) return undefined;
  const reason = `names a ${original.kind}: name the original, ${original.eventId}`;
  return { path, code: "amends-amendment", reason };
}

/** The issue of an amendment whose event is in an archive, and so can't be looked at. */
export function archivedAmendmentIssue(event: Amending, chunk: string): EventIssue {
  const field = amendmentOf(event)?.kind === "retraction" ? "retracts" : "corrects";
  const reason = `names an event that is archived: restore the chunk ${chunk} first`;
  return { path: `metadata.${field}`, code: "amended-event-archived", reason };
}
