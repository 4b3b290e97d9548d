import {
  checkTimestampWindow,
  type EventCatalogue,
  type EventIssue,
  type StoredEvent,
  type SynapEvent,
} from "@synap/types";
import {
  type AppendHook,
  appendAll,
  appendAllCarefully,
  CONFLICT_ATTEMPTS,
  pauseBeforeRetry,
  RefusedAppendError,
} from "./append/append-in-transaction.ts";
import { type AppendedEvent, type AppendOutcome, rejected } from "./append/append-outcome.ts";
import { type DuplicateCandidate, type FirstEvent, findDuplicates } from "./append/find-duplicates.ts";
import { isConflict } from "./connection/database-errors.ts";
import type { Database, Transaction } from "./connection/sql-session.ts";
import { getEventById } from "./reading/get-event-by-id.ts";
import { type EventFilter, type EventPage, type PageRequest, queryEvents } from "./reading/query-events.ts";
import { type ReadAllPage, type ReadAllRequest, readAll } from "./reading/read-all.ts";

export interface EventStoreOptions {
  readonly database: Database;
  /** What events are checked against at the store's door. */
  readonly catalogue: EventCatalogue;
  /** Runs in the append's transaction with the events it has stored, up to 1,024 at a time, in order. */
  readonly onAppend?: AppendHook | undefined;
  /** How old a live event may be, in milliseconds. Default 7 days. */
  readonly lateness?: number | undefined;
  /** How far ahead of the clock a live event may be, in milliseconds. Default 5 minutes. */
  readonly ahead?: number | undefined;
  /** Default: the system's. */
  readonly clock?: (() => Date) | undefined;
}

export interface AppendOptions {
  /**
   * "live" (default) refuses events whose timestamp is far from now, because each strange day would become a chunk of
   * its own; "backfill" takes any time.
   */
  readonly timestamps?: "live" | "backfill" | undefined;
  /** Append inside this transaction: stored if and when it commits. Without it the call is a transaction of its own. */
  readonly transaction?: Transaction | undefined;
}

/** The events of everything that ever happened: appended once, never changed. See docs/store.md for the guarantees. */
export interface EventStore {
  /** Appends one event. See `appendBatch`. */
  append(event: SynapEvent, options?: AppendOptions): Promise<AppendOutcome>;
  /**
   * Appends events in order, any number of them, in one transaction, and answers one outcome for each, in the same
   * order. Sending them again is harmless. A bad event is rejected alone and never thrown.
   * @throws DatabaseUnavailableError, or what `onAppend` throws; then nothing is stored.
   */
  appendBatch(events: readonly SynapEvent[], options?: AppendOptions): Promise<AppendOutcome[]>;
  /** The event with this id; undefined when there is none, or the id isn't a UUID. */
  getById(id: string): Promise<StoredEvent | undefined>;
  /**
   * One page of the events that match, by time, with cursors to the pages before and after.
   * @throws InvalidCursorError when the cursor belongs to another filter or order.
   */
  query(filter: EventFilter, page: PageRequest): Promise<EventPage>;
  /** The events after a position, in the order of positions, none skipped and none repeated. */
  readAll(request: ReadAllRequest): Promise<ReadAllPage>;
  /** Which of these are stored already, by id or idempotency key: their ids, with the id and position of the first. */
  findDuplicates(events: readonly DuplicateCandidate[]): Promise<Map<string, FirstEvent>>;
}

/** The event store on a migrated database. */
export function createEventStore(options: EventStoreOptions): EventStore {
  const { database, catalogue, onAppend } = options;
  const clock = options.clock ?? (() => new Date());

  async function appendBatch(
    events: readonly SynapEvent[],
    how: AppendOptions = {},
  ): Promise<AppendOutcome[]> {
    const checked = events.map((event) => check(event, how));
    const sound = checked.flatMap((each) => (each.ok ? [each.event] : []));
    const appended = sound.length === 0 ? [] : await appendSound(sound, how.transaction);
    let next = 0;
    return checked.map((each) => {
      if (!each.ok) return rejected(each.id, ...each.issues);
      const outcome = appended[next]?.outcome;
      next += 1;
      if (outcome === undefined) throw new Error(`The append of ${each.event.id} has no outcome.`);
      return outcome;
    });
  }

  function check(event: SynapEvent, how: AppendOptions): Checked {
    const reading = catalogue.safeParseSynapEvent(event);
    if (!reading.ok) return { ok: false, id: idOf(event), issues: reading.issues };
    if (how.timestamps === "backfill") return reading;
    const { lateness, ahead } = options;
    const issue = checkTimestampWindow(reading.event, { now: clock(), lateness, ahead });
    return issue === undefined ? reading : { ok: false, id: reading.event.id, issues: [issue] };
  }

  async function appendSound(
    events: readonly SynapEvent[],
    transaction: Transaction | undefined,
  ): Promise<AppendedEvent[]> {
    if (transaction !== undefined) return appendAllCarefully(transaction, events, onAppend);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await appendOwn(events);
      } catch (error) {
        if (!isConflict(error) || attempt === CONFLICT_ATTEMPTS) throw error;
        await pauseBeforeRetry(attempt);
      }
    }
  }

  /** Nearly every batch is sound all through, so savepoints are only paid for when one turned out not to be. */
  async function appendOwn(events: readonly SynapEvent[]): Promise<AppendedEvent[]> {
    try {
      return await database.transaction((own) => appendAll(own, events, onAppend));
    } catch (error) {
      if (!(error instanceof RefusedAppendError)) throw error;
      return database.transaction((own) => appendAllCarefully(own, events, onAppend));
    }
  }

  return {
    append: async (event, how) => {
      const [outcome] = await appendBatch([event], how);
      if (outcome === undefined) throw new Error(`The append of ${event.id} has no outcome.`);
      return outcome;
    },
    appendBatch,
    getById: (id) => getEventById(database, id),
    query: (filter, page) => queryEvents(database, filter, page),
    readAll: (request) => readAll(database, request),
    findDuplicates: (events) => findDuplicates(database, events),
  };
}

type Checked =
  | { readonly ok: true; readonly event: SynapEvent }
  | { readonly ok: false; readonly id: string; readonly issues: readonly EventIssue[] };

/** Events may come from JavaScript, or from an old queue: even the id may be missing. */
function idOf(event: unknown): string {
  const id = typeof event === "object" && event !== null && "id" in event ? event.id : undefined;
  return typeof id === "string" ? id : "";
}
