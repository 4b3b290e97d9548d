import {
  type Database,
  type DatabaseOptions,
  type EventStore,
  migrate,
  openDatabase,
  type ReportLogger,
} from "@synap/database";
import { createEventStore, describeExposures, guardedLogger, syncEventTypes } from "@synap/database/internal";
import {
  type AggregateCommand,
  type AggregateRegistration,
  type AggregateRepository,
  type Composition,
  createAggregateRepository,
  createSnapshotStore,
  type DecidedEvent,
  type Decider,
} from "@synap/handlers";
import { EventDispatcher } from "@synap/handlers/internal";
import type { JsonObject } from "@synap/types";

/** A kind of aggregate with what reads and commands it. */
export interface ServedAggregate extends AggregateRegistration {
  readonly repository: AggregateRepository<JsonObject, AggregateCommand>;
}

/**
 * An application on its database: what `createSynap` gives application code and what the API and the worker serve. All that
 * run in one process share one.
 */
export interface Engine extends Composition {
  readonly database: Database;
  /** The event store. An inline handler or projection that fails refuses the append. */
  readonly store: EventStore;
  /** Brings events to handlers and projections. Its own store keeps the events that an inline handler refuses as dead letters. */
  readonly dispatcher: EventDispatcher;
  readonly aggregates: readonly ServedAggregate[];
  /** The aggregates of one kind, with snapshots. */
  aggregatesOf<State extends JsonObject, Command extends AggregateCommand, Event extends DecidedEvent>(
    decider: Decider<State, Command, Event>,
  ): AggregateRepository<State, Command>;
}

/** What an engine needs to know beyond the application. */
export interface EngineOptions {
  readonly logger: ReportLogger;
  /** How old a live event may be, in milliseconds. Default: 7 days. */
  readonly latenessMs?: number | undefined;
}

/** Where an engine's database is: one that is open and stays the caller's, or how to open it. */
export type EngineDatabase = { readonly database: Database } | DatabaseOptions;

/** An engine, and how to end it. */
export interface OpenedEngine {
  readonly engine: Engine;
  /** Closes the database if it was opened here. */
  close(): Promise<void>;
}

/** Makes the engine of an application on a migrated database. */
export function composeEngine(
  application: Composition,
  database: Database,
  { logger, latenessMs }: EngineOptions,
): Engine {
  const { catalogue, handlers, projections } = application;
  const dispatcher = new EventDispatcher({ database, catalogue, handlers, projections });
  const onAppend = dispatcher.inlineHook("reject");
  const store = createEventStore({ database, catalogue, lateness: latenessMs, onAppend });
  const reporter = guardedLogger(logger);
  const snapshots = {
    store: createSnapshotStore(database),
    onFailure: (err: unknown) => reporter.warn({ err }, "a snapshot could not be read, written or taken"),
  };
  const aggregatesOf: Engine["aggregatesOf"] = (decider) =>
    createAggregateRepository({ store, decider, snapshots });
  return {
    ...application,
    database,
    store,
    dispatcher,
    aggregates: application.aggregates.map((each) => ({ ...each, repository: aggregatesOf(each.decider) })),
    aggregatesOf,
  };
}

/**
 * Opens the database of an application, migrates it, publishes the event types to SQL, and makes the engine with the tables of
 * its projections.
 *
 * @throws as `openDatabase` and `migrate`; nothing is left open then
 */
export async function openEngine(
  application: Composition,
  place: EngineDatabase,
  options: EngineOptions,
): Promise<OpenedEngine> {
  const database = "database" in place ? place.database : await openDatabase(place);
  const close = async () => {
    if (!("database" in place)) await database.close();
  };
  try {
    const { exposures } = await migrate(database, { applications: application.migrations });
    if (exposures.length > 0) guardedLogger(options.logger).warn({}, describeExposures(exposures));
    await syncEventTypes(database, application.catalogue);
    const engine = composeEngine(application, database, options);
    await engine.dispatcher.projections.prepare();
    return { engine, close };
  } catch (error) {
    await close();
    throw error;
  }
}
