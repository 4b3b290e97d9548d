import type { Database, SqlParameter } from "@synap/database";
import type {
  EventsToPublish,
  EventTypeMap,
  PublishableEvent,
  StoredEventIn,
  TypedEventCatalogue,
} from "@synap/types";
import type { IEventHandler } from "../src/index.ts";
import { EventDispatcher, type EventDispatcherOptions } from "../src/internal.ts";

/** Options of {@link handlerScenario}. */
export interface HandlerScenarioOptions<Types extends EventTypeMap>
  extends Omit<EventDispatcherOptions, "catalogue" | "handlers"> {
  readonly database: Database;
  /** The catalogue whose types the events have; an application passes `config.catalogue`. */
  readonly catalogue: TypedEventCatalogue<Types>;
  readonly handlers?: readonly IEventHandler[];
}

/** A given/when/then test of a handler: given events, when events, then rows. */
export interface HandlerScenario<Types extends EventTypeMap> {
  readonly dispatcher: EventDispatcher;
  /** Stores events, runs every handler until it has caught up, and returns the stored events. */
  given<const Names extends readonly (keyof Types & string)[]>(
    ...events: EventsToPublish<Types, Names>
  ): Promise<StoredEventIn<Types>[]>;
  /** The same as `given`, for the events under test. */
  when<const Names extends readonly (keyof Types & string)[]>(
    ...events: EventsToPublish<Types, Names>
  ): Promise<StoredEventIn<Types>[]>;
  /** Runs a query. */
  rows<Row extends object>(sql: string, parameters?: readonly SqlParameter[]): Promise<Row[]>;
}

/**
 * Tests a handler on a migrated database in given/when/then form.
 *
 * @example
 * const scenario = handlerScenario({ database, catalogue: config.catalogue, projections: [notesProjection] });
 * await scenario.when({ type: "note.creation.completed", aggregateId: "n1", data: { content: "Call Acme" } });
 * expect(await scenario.rows("SELECT id, content FROM synap_read.notes")).toEqual([{ id: "n1", content: "Call Acme" }]);
 */
export function handlerScenario<Types extends EventTypeMap>(
  options: HandlerScenarioOptions<Types>,
): HandlerScenario<Types> {
  const { database, catalogue, handlers = [], ...rest } = options;
  const dispatcher = new EventDispatcher({ ...rest, database, handlers, catalogue });
  const happened = async (...inputs: readonly PublishableEvent<Types>[]) => {
    const events = inputs.map((input) => catalogue.createSynapEvent(input));
    const outcomes = await dispatcher.store.appendBatch(events, { timestamps: "backfill" });
    const stored: StoredEventIn<Types>[] = [];
    for (const outcome of outcomes) {
      if (outcome.status === "rejected")
        throw new Error(`event ${outcome.id}: ${JSON.stringify(outcome.issues)}`);
      const event = await dispatcher.store.getById(outcome.id);
      if (event !== undefined) stored.push(...catalogue.typeStored([event]));
    }
    await catchUpAll(dispatcher, database);
    return stored;
  };
  return {
    dispatcher,
    given: happened,
    when: happened,
    rows: (sql, parameters) => database.query(sql, parameters),
  };
}

/** Runs every handler and projection until nothing is left, including events that handlers append in response to each other. */
async function catchUpAll(dispatcher: EventDispatcher, database: Database): Promise<void> {
  for (let before = -1, end = await endOfLog(database); end > before; end = await endOfLog(database)) {
    for (const name of dispatcher.followers) await catchUpFully(dispatcher, name);
    before = end;
  }
}

async function endOfLog(database: Database): Promise<number> {
  const [row] = await database.query<{ position: number }>(
    "SELECT coalesce(max(last_position), 0)::bigint AS position FROM synap.appends",
  );
  return row?.position ?? 0;
}

/** Runs passes of an asynchronous handler or projection until nothing is left, retries included. */
export async function catchUpFully(dispatcher: EventDispatcher, handler: string): Promise<void> {
  for (;;) {
    const pass = await dispatcher.catchUp(handler);
    if (pass.status !== "done" || !pass.caughtUp) continue;
    if (pass.retryInMs === undefined) return;
    await new Promise((done) => setTimeout(done, pass.retryInMs));
  }
}
