import {
  type EventCatalogue,
  type EventIssue,
  type JsonObject,
  MAX_EVENT_BYTES,
  type MaskedValue,
  type PersonalField,
  type StoredEvent,
  type SynapEvent,
} from "@synap/types";
import {
  eventBytes,
  formatPath,
  isSealedValue,
  type PersonalValue,
  personalValues,
  pointerTo,
  type Replacement,
  replaceValues,
  subjectOf,
} from "@synap/types/internal";
import type { Transaction } from "../connection/sql-session.ts";
import { EventFilterError } from "../reading/event-filter.ts";
import { PersonalDataKeysMissingError } from "./key-provider.ts";
import { isPlainValue, pseudonymOf } from "./pseudonyms.ts";
import { openValue, sealValue } from "./subject-cipher.ts";
import type { KeyLookup, KeyState, SubjectKeys } from "./subject-keys.ts";

/** A sealed event, or why it can't be sealed. */
export type Sealing =
  | { readonly ok: true; readonly event: SynapEvent }
  | { readonly ok: false; readonly issues: readonly EventIssue[] };

/** Options of a call of {@link PersonalData}. */
export interface InTransaction {
  /** The transaction that the caller is in. */
  readonly transaction?: Transaction | undefined;
}

/** Seals the personal values of events, and opens them. */
export interface PersonalData {
  /** True if the event has personal values that are not sealed. */
  needsSealing(event: SynapEvent): boolean;
  /**
   * Seals the personal values of valid events, in their order, with the keys of their subjects. What is sealed already stays so. An
   * event without personal values is the same object.
   * @throws KeyProviderError, DatabaseUnavailableError
   */
  seal(events: readonly SynapEvent[], options?: InTransaction): Promise<readonly Sealing[]>;
  /**
   * Opens the sealed values of events. What can't be opened is masked: see `masked` of the event. Events without such values are the
   * same objects.
   * @throws KeyProviderError, DatabaseUnavailableError
   */
  open<Event extends StoredEvent>(
    events: readonly Event[],
    options?: InTransaction,
  ): Promise<readonly Event[]>;
  /** Puts masked values in the place of sealed ones, for a reader who may not see them. */
  mask<Event extends StoredEvent>(event: Event): Event;
  /**
   * Puts pseudonyms in the place of the personal values that a filter's `data` asks for, so that it finds what is stored. For readers
   * who may see these values.
   * @throws EventFilterError for a personal field without `lookup`, and where the filter has more than one type; KeyProviderError,
   *   DatabaseUnavailableError
   */
  lookUp<Filter extends DataFilter>(filter: Filter): Promise<Filter>;
}

/** The parts of a filter that a look-up of personal values needs. */
export interface DataFilter {
  readonly types?: readonly string[] | undefined;
  readonly data?: JsonObject | undefined;
}

/** A kind of event that has no personal values costs one look-up. */
const NONE: readonly PersonalField[] = [];

/** For a store whose events stay in this process: nothing is sealed. */
export const UNSEALED: PersonalData = {
  needsSealing: () => false,
  seal: async (events) => events.map((event) => ({ ok: true, event })),
  open: async (events) => events,
  mask: (event) => event,
  lookUp: async (filter) => filter,
};

/**
 * Creates the sealing and opening of the event types of a catalogue.
 *
 * @param keys without them events that have personal values are refused, with a PersonalDataKeysMissingError
 */
export function createPersonalData(
  catalogue: Pick<EventCatalogue, "get">,
  keys: SubjectKeys | undefined,
): PersonalData {
  const find = (subjects: ReadonlySet<string>, type: string | undefined, lookup: KeyLookup) => {
    if (keys === undefined) throw new PersonalDataKeysMissingError(type ?? "");
    return keys.find(subjects, lookup);
  };
  const fieldsOf = ({ type, schemaVersion = 1 }: Pick<SynapEvent, "type"> & { schemaVersion?: number }) => {
    const definition = catalogue.get(type);
    if (definition === undefined) return NONE;
    if (schemaVersion === definition.version) return definition.personal;
    return definition.earlier[schemaVersion - 1]?.personal ?? NONE;
  };
  const sealedIn = (event: SynapEvent) => {
    const fields = fieldsOf(event);
    return fields.length === 0
      ? []
      : personalValues(fields, event.data).filter(({ value }) => isSealedValue(value));
  };
  const plainIn = (event: SynapEvent) => {
    const fields = fieldsOf(event);
    return fields.length === 0
      ? []
      : personalValues(fields, event.data).filter(({ value }) => !isSealedValue(value));
  };

  return {
    needsSealing: (event) => plainIn(event).length > 0,

    async seal(events, { transaction } = {}) {
      const plain = events.map(plainIn);
      const subjects = new Set(
        events.flatMap(
          (event, index) => plain[index]?.flatMap((value) => subjectOf(event, value) ?? []) ?? [],
        ),
      );
      if (subjects.size === 0) return events.map((event) => ({ ok: true, event }));
      const first = events.find((_, index) => plain[index]?.length !== 0);
      const found = await find(subjects, first?.type, { create: true, transaction });
      const isFindable = plain.some((values) => values.some(({ field }) => field.lookup));
      const pseudonyms = isFindable ? await keys?.pseudonymKey({ transaction }) : undefined;
      return events.map((event, index) => sealEvent(event, plain[index] ?? [], found, pseudonyms));
    },

    async open(events, { transaction } = {}) {
      const sealed = events.map(sealedIn);
      const subjects = new Set(
        sealed.flatMap((values) => values.flatMap(({ value }) => subjectIn(value) ?? [])),
      );
      if (subjects.size === 0) return events;
      const first = events.find((_, index) => sealed[index]?.length !== 0);
      const found = await find(subjects, first?.type, { transaction });
      return events.map((event, index) => openEvent(event, sealed[index] ?? [], found));
    },

    mask: (event) => {
      const values = sealedIn(event);
      return values.length === 0
        ? event
        : withMasked(event, values, (value) => ({ value, reason: "not-allowed" }));
    },

    async lookUp(filter) {
      const { types = [], data } = filter;
      if (data === undefined) return filter;
      const [asked] = types.flatMap((type) => {
        const values = personalValues(everyFieldOf(type), data);
        return values.length === 0 ? [] : [{ type, values }];
      });
      if (asked === undefined) return filter;
      const { type, values } = asked;
      if (types.length > 1) throw unsearchable(values, "is personal, so the filter must have one type only");
      if (keys === undefined) throw new PersonalDataKeysMissingError(type);
      const key = await keys.pseudonymKey();
      const replaced = values.map(({ field, path, value }): Replacement => {
        if (!field.lookup) throw unsearchable([{ path }], "is personal, and is declared without lookup");
        if (!isPlainValue(value))
          throw unsearchable(
            [{ path }],
            "is personal, so it must be given as it is: text, a number or a boolean",
          );
        return { path, value: { pseudonym: pseudonymOf(key, type, pointerTo(field.path), value) } };
      });
      return { ...filter, data: replaceValues(data, replaced) };
    },
  };

  /** The personal fields of all versions of a type, each once. */
  function everyFieldOf(type: string): readonly PersonalField[] {
    const definition = catalogue.get(type);
    if (definition === undefined) return NONE;
    const fields = [definition, ...definition.earlier].flatMap(({ personal }) => personal);
    // With a declaration that can be looked up, if any version has one.
    fields.sort((one, other) => Number(other.lookup ?? false) - Number(one.lookup ?? false));
    return [...new Map(fields.toReversed().map((field) => [pointerTo(field.path), field])).values()];
  }
}

function unsearchable(values: readonly Pick<PersonalValue, "path">[], reason: string): EventFilterError {
  const at = formatPath(["data", ...(values[0]?.path ?? [])]);
  return new EventFilterError("FILTER_INVALID", "data", `can't be searched: ${at} ${reason}`);
}

function sealEvent(
  event: SynapEvent,
  values: readonly PersonalValue[],
  keys: ReadonlyMap<string, KeyState>,
  pseudonyms: Buffer | undefined,
): Sealing {
  if (values.length === 0) return { ok: true, event };
  const { id: eventId, type } = event;
  const issues: EventIssue[] = [];
  const sealed: Replacement[] = [];
  for (const value of values) {
    const path = formatPath(["data", ...value.path]);
    const subject = subjectOf(event, value);
    const key = subject === undefined ? undefined : keys.get(subject);
    if (subject === undefined || key === undefined) {
      issues.push({ path, code: "missing", reason: "is of a subject that the event does not name" });
    } else if (key === "erased") {
      issues.push({ path, code: "subject-erased", reason: "is of a subject whose personal data was erased" });
    } else {
      const place = { eventId, type, path: pointerTo(value.path), subject };
      const text = { $sealed: sealValue(key, place, value.value), subject };
      const pseudonym = pseudonyms && pseudonymIn(event, value, pseudonyms);
      sealed.push({ path: value.path, value: pseudonym === undefined ? text : { ...text, pseudonym } });
    }
  }
  if (issues.length > 0) return { ok: false, issues };
  const made = { ...event, data: replaceValues(event.data, sealed) };
  const bytes = eventBytes(made, 0);
  if (bytes <= MAX_EVENT_BYTES) return { ok: true, event: made };
  const reason = `takes ${bytes} bytes as JSON once its personal values are sealed; at most ${MAX_EVENT_BYTES} are allowed`;
  return { ok: false, issues: [{ path: "", code: "event-too-large", reason }] };
}

function pseudonymIn({ type }: SynapEvent, { field, value }: PersonalValue, key: Buffer): string | undefined {
  if (!field.lookup || !isPlainValue(value)) return undefined;
  return pseudonymOf(key, type, pointerTo(field.path), value);
}

function openEvent<Event extends StoredEvent>(
  event: Event,
  values: readonly PersonalValue[],
  keys: ReadonlyMap<string, KeyState>,
): Event {
  if (values.length === 0) return event;
  const opened: Replacement[] = [];
  const closed: { readonly value: PersonalValue; readonly reason: MaskedValue["reason"] }[] = [];
  for (const value of values) {
    const { value: sealed, path } = value;
    if (!isSealedValue(sealed)) continue;
    const key = keys.get(sealed.subject);
    const place = { eventId: event.id, type: event.type, path: pointerTo(path), subject: sealed.subject };
    const plain = key === undefined || key === "erased" ? undefined : openValue(key, place, sealed.$sealed);
    if (plain !== undefined) opened.push({ path, value: plain.value });
    else closed.push({ value, reason: key === "erased" ? "erased" : "unreadable" });
  }
  const shown = { ...event, data: replaceValues(event.data, opened) };
  return closed.length === 0 ? shown : withMasked(shown, closed, (each) => each);
}

function withMasked<Event extends StoredEvent, Each>(
  event: Event,
  list: readonly Each[],
  read: (each: Each) => { readonly value: PersonalValue; readonly reason: MaskedValue["reason"] },
): Event {
  const closed = list.map(read);
  return {
    ...event,
    data: replaceValues(
      event.data,
      closed.map(({ value: { path, field } }) => ({ path, value: field.masked })),
    ),
    masked: closed.map(({ value: { path }, reason }) => ({ path: pointerTo(path), reason })),
  };
}

function subjectIn(value: unknown): string | undefined {
  return isSealedValue(value) ? value.subject : undefined;
}
