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
import { createKnownNames, EventDispatcher, type KnownNames } from "@synap/handlers/internal";
import type { JsonObject } from "@synap/types";

/** A type of aggregate with its repository. */
export interface ServedAggregate extends AggregateRegistration {
  readonly repository: AggregateRepository<JsonObject, AggregateCommand>;
}

/**
 * An application on its database. `createSynap` and the servers of the API and the worker are built on it; those in one
 * process share one engine.
 */
export interface Engine extends Composition {
  readonly database: Database;
  /** The event store. An append fails if an inline handler or projection fails. */
  readonly store: EventStore;
  /** Dispatches events to handlers and projections. Its store makes events on which an inline handler fails dead letters. */
  readonly dispatcher: EventDispatcher;
  readonly aggregates: readonly ServedAggregate[];
  /** The names that filters may have. */
  readonly names: KnownNames;
  /** The repository of one type of aggregate, with snapshots. */
  aggregatesOf<State extends JsonObject, Command extends AggregateCommand, Event extends DecidedEvent>(
    decider: Decider<State, Command, Event>,
  ): AggregateRepository<State, Command>;
}

/** Options of an engine. */
export interface EngineOptions {
  readonly logger: ReportLogger;
  /** Maximum age of a live event, in milliseconds. Default: 7 days. */
  readonly latenessMs?: number | undefined;
}

/** The database of an engine: an open one, which the caller closes, or the options to open one. */
export type EngineDatabase = { readonly database: Database } | DatabaseOptions;

/** An engine with its database opened. */
export interface OpenedEngine {
  readonly engine: Engine;
  /** Closes the database if it was opened here. */
  close(): Promise<void>;
}

/** Creates the engine of an application on a migrated database. */
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
    names: createKnownNames(database, application),
    aggregates: application.aggregates.map((each) => ({ ...each, repository: aggregatesOf(each.decider) })),
    aggregatesOf,
  };
}

/**
 * Opens the database of an application, migrates it, stores the event types for the SQL API, and creates the engine and the
 * tables of its projections.
 *
 * @throws as `openDatabase` and `migrate`; the database is closed then
 */
export async function openEngine(
  application: Composition,
  location: EngineDatabase,
  options: EngineOptions,
): Promise<OpenedEngine> {
  const database = "database" in location ? location.database : await openDatabase(location);
  const close = async () => {
    if (!("database" in location)) await database.close();
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
