import {
  amendmentOf,
  type EventCatalogue,
  type EventInput,
  type EventIssue,
  EventValidationError,
  type ExpectedVersion,
  type StreamName,
  type SynapEvent,
} from "@synap/types";
import {
  type AmendableEvent,
  checkExpectedVersion,
  checkTimestampWindow,
  MAX_EVENT_FIELDS,
  readWithRegistered,
} from "@synap/types/internal";
import type { Transaction } from "../connection/sql-session.ts";
import type { AppendOptions, EventStore } from "../event-store.ts";
import type { PersonalData } from "../personal-data/personal-data.ts";
import { checkShape } from "./append-shape.ts";
import { judgeAmendments } from "./judge-amendments.ts";
import { type AppendedEvent, type AppendOutcome, type Expectation, rejected } from "./judge-events.ts";
import { type CheckedEvent, sealChecked, sealPrepared } from "./seal-checked.ts";

/** An event to append to a given stream: `type`, `data` and any optional fields. */
export type StreamEventInput = Omit<EventInput, "aggregateType" | "aggregateId">;

/** Events for one stream, and its expected version. */
export interface StreamAppend {
  readonly stream: StreamName;
  readonly expectedVersion: ExpectedVersion;
  /** One or more; at most 1,024 in all appends of a call. */
  readonly events: readonly StreamEventInput[];
}

/** The expected version of a stream that the append checks without writing to it. */
export interface StreamCheck {
  readonly stream: StreamName;
  readonly expectedVersion: ExpectedVersion;
}

export interface StreamAppendOptions {
  /**
   * Append inside this transaction: stored if and when it commits. A refused append is rolled back to a savepoint, so the
   * transaction can continue. By default the call opens a transaction.
   */
  readonly transaction?: Transaction | undefined;
  /** As for `append`: "live" (default) refuses events whose timestamp is far from now, "backfill" accepts any time. */
  readonly timestamps?: "live" | "backfill" | undefined;
}

export interface StreamsAppendOptions extends StreamAppendOptions {
  /** Streams whose expected versions are checked without appending to them. */
  readonly checks?: readonly StreamCheck[] | undefined;
}

/** A stored event of an append. */
export interface AppendedStreamEvent {
  /** Its id; for a duplicate by idempotency key, the id of the event stored first. */
  readonly id: string;
  readonly position: number;
  readonly streamVersion: number;
  /** True if an earlier append stored it. */
  readonly duplicate: boolean;
}

export interface StreamAppendResult {
  readonly stream: StreamName;
  /** Version of the last event. If all were duplicates, the version after the first append. */
  readonly streamVersion: number;
  /** Position of the last event. */
  readonly position: number;
  /** One for each event, in the same order. */
  readonly events: readonly AppendedStreamEvent[];
}

/** Rules that events must satisfy to be stored. */
export interface EventCheck {
  readonly catalogue: EventCatalogue;
  readonly clock: () => Date;
  readonly lateness?: number | undefined;
  readonly ahead?: number | undefined;
  readonly timestamps?: "live" | "backfill" | undefined;
  /** Seals personal values. */
  readonly personalData: Pick<PersonalData, "needsSealing" | "seal">;
}

/** Validates an event before it is stored, independently of earlier validations. */
function checkEvent(event: unknown, check: EventCheck): CheckedEvent {
  const reading = check.catalogue.safeParseSealed(event);
  if (!reading.ok) return { ok: false, id: idOf(event), issues: reading.issues };
  if (check.timestamps === "backfill") return reading;
  const { clock, lateness, ahead } = check;
  const issue = checkTimestampWindow(reading.event, { now: clock(), lateness, ahead });
  return issue === undefined ? reading : { ok: false, id: reading.event.id, issues: [issue] };
}

/** Returns the id of an unvalidated event; empty if it has none. */
function idOf(event: unknown): string {
  const id = typeof event === "object" && event !== null && "id" in event ? event.id : undefined;
  return typeof id === "string" ? id : "";
}

/** A validated append. */
export interface PreparedAppend {
  /** Of all streams, in the order given. */
  readonly events: readonly SynapEvent[];
  readonly expectations: readonly Expectation[];
}

/**
 * Completes and validates the events of an append.
 * @throws EventValidationError whose paths begin with `events[i]`, or `appends[i].events[j]` when there are several.
 * @throws RangeError when a stream is named twice, has no events, or there are more than 1,024 in all.
 */
function prepareAppend(
  appends: readonly StreamAppend[],
  checks: readonly StreamCheck[],
  check: EventCheck,
): PreparedAppend {
  const expectations = [...appends, ...checks].map(
    ({ stream: { aggregateType, aggregateId }, expectedVersion }) => ({
      aggregateType,
      aggregateId,
      expected: checkExpectedVersion(expectedVersion),
    }),
  );
  checkShape(appends, expectations);

  const now = check.clock();
  const issues: EventIssue[] = [];
  const events = appends.flatMap(({ stream, events: inputs }, appendIndex) =>
    inputs.flatMap((input, index) => {
      const checked = checkEvent(completeFor(stream, input, now, check), check);
      const at = pathOf(appends, appendIndex, index);
      for (const issue of checked.ok ? otherStream(stream, checked.event) : checked.issues) {
        issues.push({ ...issue, path: issue.path === "" ? at : `${at}.${issue.path}` });
      }
      return checked.ok ? [checked.event] : [];
    }),
  );
  if (issues.length > 0) throw new EventValidationError(issues.slice(0, 100));
  return { events, expectations };
}

/** The path of each event of the appends. */
function pathsOf(appends: readonly StreamAppend[]): string[] {
  return appends.flatMap(({ events }, append) => events.map((_, index) => pathOf(appends, append, index)));
}

/** The path of an event in its append. */
function pathOf(appends: readonly StreamAppend[], appendIndex: number, index: number): string {
  return `${appends.length === 1 ? "" : `appends[${appendIndex}].`}events[${index}]`;
}

/** Fills in missing fields. The sender's fields, including unknown ones, are kept so that the validation refuses them. */
function completeFor(
  { aggregateType, aggregateId }: StreamName,
  input: StreamEventInput,
  now: Date,
  { catalogue }: EventCheck,
): unknown {
  // The validation refuses it, and copying so many fields would be expensive.
  if (Object.keys(input).length > MAX_EVENT_FIELDS) return input;
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  const timestamp = input.timestamp ?? now.toISOString();
  return { ...catalogue.completeEvent({ ...input, timestamp, aggregateType, aggregateId }), ...given };
}

/** Returns the issues of an event that names another stream, which TypeScript prevents but JSON does not. */
function otherStream(stream: StreamName, event: SynapEvent): EventIssue[] {
  return (["aggregateType", "aggregateId"] as const)
    .filter((path) => event[path] !== stream[path])
    .map((path) => ({ path, code: "stream-mismatch", reason: "is not that of the stream" }));
}

/** Collects the result of an append for each of its streams. */
function collectResults(
  appends: readonly StreamAppend[],
  appended: readonly AppendedEvent[],
): StreamAppendResult[] {
  let start = 0;
  return appends.map(({ stream, events }) => {
    const own = appended.slice(start, start + events.length).map(({ outcome }) => {
      if (outcome.status === "rejected") throw new Error(`The append of ${outcome.id} was rejected in part.`);
      const { id, position, streamVersion } = outcome;
      return { id, position, streamVersion, duplicate: outcome.status === "duplicate" };
    });
    start += events.length;
    const last = own.reduce((latest, each) => (each.streamVersion > latest.streamVersion ? each : latest));
    return { stream, streamVersion: last.streamVersion, position: last.position, events: own };
  });
}

/**
 * Appends of validated events, implemented by each store. Called at most once per append, before anything but amendments, the keys of
 * personal values and unknown event types is awaited.
 */
export interface CheckedAppends {
  /** Finds the stored event with an id, also one that the open transaction has stored. */
  findAmended(id: string, options: Pick<AppendOptions, "transaction">): Promise<AmendableEvent | undefined>;
  /** Appends events of any streams independently, and returns an outcome for each, in the same order. */
  appendEvents(events: readonly SynapEvent[], options: AppendOptions): Promise<readonly AppendedEvent[]>;
  /** Appends to streams at their expected versions, all or nothing. */
  appendPrepared(prepared: PreparedAppend, options: StreamsAppendOptions): Promise<readonly AppendedEvent[]>;
}

/** Creates the append methods of a store: the validation and results that all stores have in common. */
export function appendMethods(
  rules: Omit<EventCheck, "timestamps">,
  { appendEvents, appendPrepared, findAmended }: CheckedAppends,
): Pick<EventStore, "append" | "appendBatch" | "appendToStream" | "appendToStreams"> {
  async function checkAmendments(
    checked: readonly CheckedEvent[],
    options: AppendOptions,
  ): Promise<readonly CheckedEvent[]> {
    const events = checked.map((each) => (each.ok ? each.event : undefined));
    const issues = await judgeAmendments(events, (id) => findAmended(id, options));
    return checked.map((each, index) => {
      const issue = issues[index];
      return each.ok && issue !== undefined ? { ok: false, id: each.event.id, issues: [issue] } : each;
    });
  }

  /** @throws EventValidationError */
  async function refuseAmendments(
    appends: readonly StreamAppend[],
    events: readonly SynapEvent[],
    options: StreamsAppendOptions,
  ): Promise<void> {
    const found = await judgeAmendments(events, (id) => findAmended(id, options));
    const paths = pathsOf(appends);
    const issues = found.flatMap((issue, index) =>
      issue === undefined ? [] : [{ ...issue, path: `${paths[index]}.${issue.path}` }],
    );
    if (issues.length > 0) throw new EventValidationError(issues);
  }

  async function appendBatch(
    events: readonly SynapEvent[],
    options: AppendOptions = {},
  ): Promise<AppendOutcome[]> {
    const check = { ...rules, timestamps: options.timestamps };
    const reading = readWithRegistered(
      rules.catalogue,
      () => events.map((event) => checkEvent(event, check)),
      options.transaction,
    );
    const sound = reading instanceof Promise ? await reading : reading;
    const allowed = sound.some((each) => each.ok && amendmentOf(each.event))
      ? await checkAmendments(sound, options)
      : sound;
    const sealing = sealChecked(allowed, rules, options.transaction);
    const checked = sealing instanceof Promise ? await sealing : sealing;
    const valid = checked.flatMap((each) => (each.ok ? [each.event] : []));
    const appended = valid.length === 0 ? [] : await appendEvents(valid, options);
    let next = 0;
    return checked.map((each) => {
      if (!each.ok) return rejected(each.id, ...each.issues);
      const outcome = appended[next]?.outcome;
      next += 1;
      if (outcome === undefined) throw new Error(`The append of ${each.event.id} has no outcome.`);
      return outcome;
    });
  }

  async function appendToStreams(
    appends: readonly StreamAppend[],
    options: StreamsAppendOptions = {},
  ): Promise<StreamAppendResult[]> {
    const { timestamps, checks = [] } = options;
    const preparing = readWithRegistered(
      rules.catalogue,
      () => prepareAppend(appends, checks, { ...rules, timestamps }),
      options.transaction,
    );
    const prepared = preparing instanceof Promise ? await preparing : preparing;
    if (prepared.events.some(amendmentOf)) await refuseAmendments(appends, prepared.events, options);
    const sealing = sealPrepared(prepared.events, () => pathsOf(appends), rules, options.transaction);
    const sealed = sealing instanceof Promise ? await sealing : sealing;
    return collectResults(appends, await appendPrepared({ ...prepared, events: sealed }, options));
  }

  return {
    async append(event, options) {
      const [outcome] = await appendBatch([event], options);
      if (outcome === undefined) throw new Error(`The append of ${event.id} has no outcome.`);
      return outcome;
    },
    appendBatch,
    async appendToStream(stream, expectedVersion, events, options) {
      const [result] = await appendToStreams([{ stream, expectedVersion, events }], options);
      if (result === undefined) throw new Error("The append has no result.");
      return result;
    },
    appendToStreams,
  };
}
