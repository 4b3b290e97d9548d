import {
  type Database,
  type DatabaseOptions,
  type ErasureLedger,
  type EventReads,
  type EventStore,
  type KeyProvider,
  migrate,
  openDatabase,
  PersonalDataKeysMissingError,
  type ReadPoint,
  type Replica,
  type ReplicaOptions,
  type ReportLogger,
  type Transaction,
} from "@synap/database";
import {
  applyLedger,
  createEventStore,
  createPersonalData,
  createRegisteredTypes,
  createReplicaReads,
  createSubjectKeys,
  describeExposures,
  guardedLogger,
  openReplica,
  type PersonalData,
  passingKeys,
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
import type { EventCatalogue, EventTypeDefinition, JsonObject, StoredEvent } from "@synap/types";

/** A type of aggregate with its repository. */
export interface ServedAggregate extends AggregateRegistration {
  readonly repository: AggregateRepository<JsonObject, AggregateCommand>;
  /** The same with masked personal values, for readers who may not see them; absent where its events have none. */
  readonly masked?: Pick<AggregateRepository<JsonObject, AggregateCommand>, "load">;
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
  /** Seals and opens personal values; undefined for an application whose events have none. */
  readonly personalData: PersonalData | undefined;
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
  /** Wraps the keys of the subjects of personal data. An application whose events have any needs it. */
  readonly keys?: KeyProvider | undefined;
  /** The erased subjects, outside of the database. */
  readonly ledger?: ErasureLedger | undefined;
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
  { logger, latenessMs, replica, keys, ledger }: EngineOptions,
): Engine {
  const { handlers, projections, sinks } = application;
  const catalogue = application.catalogue.withRegistered(createRegisteredTypes(database));
  const personalData = personalDataOf(catalogue, database, { keys, ledger });
  const dispatcher = new EventDispatcher({ database, catalogue, handlers, projections, sinks, personalData });
  const onAppend = dispatcher.inlineHook("reject");
  const point: ReadPoint = { position: 0 };
  const primary = createEventStore({ database, catalogue, lateness: latenessMs, onAppend, personalData });
  const store = replica === undefined ? primary : withOwnAppends(primary, point);
  const reporter = guardedLogger(logger);
  const snapshots = {
    store: createSnapshotStore(database),
    onFailure: (err: unknown) => reporter.warn({ err }, "a snapshot could not be read, written or taken"),
  };
  const openStore =
    personalData === undefined
      ? store
      : readingAs(store, (events, transaction) => personalData.open(events, { transaction }));
  const maskedStore =
    personalData === undefined ? store : readingAs(store, async (events) => events.map(personalData.mask));
  const aggregatesOf: Engine["aggregatesOf"] = (decider) =>
    createAggregateRepository({
      decider,
      store: openStore,
      // A snapshot would keep what was opened.
      ...(!hasPersonalData(decider.events) && { snapshots }),
    });
  return {
    ...application,
    catalogue,
    database,
    store,
    reads: replica === undefined ? store : createReplicaReads(database, store, replica),
    point,
    replica,
    dispatcher,
    names: createKnownNames(database, { ...application, catalogue }),
    personalData,
    aggregates: application.aggregates.map((each) => ({
      ...each,
      repository: aggregatesOf(each.decider),
      ...(hasPersonalData(each.decider.events) && {
        masked: createAggregateRepository({ decider: each.decider, store: maskedStore }),
      }),
    })),
    aggregatesOf,
  };
}

/** @throws PersonalDataKeysMissingError */
function personalDataOf(
  catalogue: EventCatalogue,
  database: Database,
  { keys: provider, ledger }: Pick<EngineOptions, "keys" | "ledger">,
): PersonalData | undefined {
  const personal = catalogue.types.find((type) => hasPersonalData([type]));
  if (personal === undefined) return undefined;
  if (provider === undefined) throw new PersonalDataKeysMissingError(personal.name);
  return createPersonalData(catalogue, createSubjectKeys({ database, provider, ledger }));
}

/** True if one of the types has personal data, in whichever version. */
export function hasPersonalData(
  types: readonly Pick<EventTypeDefinition, "personal" | "earlier">[],
): boolean {
  return types.some(
    ({ personal, earlier }) => personal.length > 0 || earlier.some((version) => version.personal.length > 0),
  );
}

/** A store whose streams are read through a function of their events. */
function readingAs(
  store: EventStore,
  read: (
    events: readonly StoredEvent[],
    transaction: Transaction | undefined,
  ) => Promise<readonly StoredEvent[]>,
): Pick<EventStore, "readStream" | "appendToStream" | "findDuplicates"> {
  const { appendToStream, findDuplicates } = store;
  return {
    appendToStream,
    findDuplicates,
    readStream: async function* (stream, options) {
      let waiting: StoredEvent[] = [];
      for await (const event of store.readStream(stream, options)) {
        waiting.push(event);
        if (waiting.length < TOGETHER) continue;
        yield* await read(waiting, options?.transaction);
        waiting = [];
      }
      yield* await read(waiting, options?.transaction);
    },
  };
}

/** Events whose keys are looked up together. */
const TOGETHER = 100;

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
    if (options.ledger !== undefined) {
      // Not needed for reading, which asks the ledger itself, and not possible for a login that does not own the schema.
      await applyLedger(database, options.ledger).catch((err: unknown) =>
        guardedLogger(options.logger).warn(
          { err },
          "keys that the ledger of erasures names could not be destroyed",
        ),
      );
    }
    if (options.replica !== undefined) {
      replica = await openReplica(database, { ...options.replica, logger: options.logger });
    }
    // What is in memory only may be sealed with a key that is too.
    const keys = options.keys ?? ("memory" in location ? passingKeys() : undefined);
    const engine = composeEngine(application, database, { ...options, replica, keys });
    await engine.dispatcher.projections.prepare();
    return { engine, close };
  } catch (error) {
    await close();
    throw error;
  }
}
