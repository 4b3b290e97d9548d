import {
  type Database,
  type DatabaseOptions,
  type EventReads,
  type EventStore,
  migrate,
  openDatabase,
  type ReadPoint,
  type Replica,
  type ReplicaOptions,
  type ReportLogger,
} from "@synap/database";
import {
  createEventStore,
  createReplicaReads,
  describeExposures,
  guardedLogger,
  openReplica,
  syncEventTypes,
  withOwnAppends,
} from "@synap/database/internal";
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
  /** Reading of stored events, from the replica if there is one. Decisions and handlers read from the store. */
  readonly reads: EventReads;
  /** The highest position that this process has appended, if there is a replica. */
  readonly point: ReadPoint;
  readonly replica: Replica | undefined;
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
  /** An open replica of the database, for reading events. */
  readonly replica?: Replica | undefined;
}

/** Options of an engine whose database and replica are opened with it. */
export interface OpenEngineOptions extends Omit<EngineOptions, "replica"> {
  /** A replica of the database to read events from. */
  readonly replica?: Omit<ReplicaOptions, "logger"> | undefined;
}

/** The database of an engine: an open one, which the caller closes, or the options to open one. */
export type EngineDatabase = { readonly database: Database } | DatabaseOptions;

/** An engine with its database opened. */
export interface OpenedEngine {
  readonly engine: Engine;
  /** Closes the replica, and the database if it was opened here. */
  close(): Promise<void>;
}

/** Creates the engine of an application on a migrated database. */
export function composeEngine(
  application: Composition,
  database: Database,
  { logger, latenessMs, replica }: EngineOptions,
): Engine {
  const { catalogue, handlers, projections } = application;
  const dispatcher = new EventDispatcher({ database, catalogue, handlers, projections });
  const onAppend = dispatcher.inlineHook("reject");
  const point: ReadPoint = { position: 0 };
  const primary = createEventStore({ database, catalogue, lateness: latenessMs, onAppend });
  const store = replica === undefined ? primary : withOwnAppends(primary, point);
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
    reads: replica === undefined ? store : createReplicaReads(database, store, replica),
    point,
    replica,
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
 * @throws as `openDatabase`, `migrate` and `openReplica`; the database is closed then
 */
export async function openEngine(
  application: Composition,
  location: EngineDatabase,
  options: OpenEngineOptions,
): Promise<OpenedEngine> {
  const database = "database" in location ? location.database : await openDatabase(location);
  let replica: Replica | undefined;
  const close = async () => {
    await replica?.close();
    if (!("database" in location)) await database.close();
  };
  try {
    const { exposures } = await migrate(database, { applications: application.migrations });
    if (exposures.length > 0) guardedLogger(options.logger).warn({}, describeExposures(exposures));
    await syncEventTypes(database, application.catalogue);
    if (options.replica !== undefined) {
      replica = await openReplica(database, { ...options.replica, logger: options.logger });
    }
    const engine = composeEngine(application, database, { ...options, replica });
    await engine.dispatcher.projections.prepare();
    return { engine, close };
  } catch (error) {
    await close();
    throw error;
  }
}
