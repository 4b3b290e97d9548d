import { join } from "node:path";
import type {
  Database,
  ErasureLedger,
  KeyProvider,
  ReportLogger,
  StreamAppendOptions,
  StreamAppendResult,
  Transaction,
} from "@synap/database";
import { ownKeyFile, raisePoint } from "@synap/database/internal";
import type {
  AggregateCommand,
  AggregateRepository,
  DecidedEvent,
  Decider,
  JsonSource,
  PastMoment,
  Projection,
  Projections,
  ReadModel,
  Sinks,
} from "@synap/handlers";
import {
  askedPast,
  checkDecider,
  createModelPositions,
  type EventDispatcher,
  HandlerRunner,
} from "@synap/handlers/internal";
import {
  type CallOptions,
  type EventCatalogue,
  type EventsToAppend,
  type EventToPublish,
  type EventTypeMap,
  EventValidationError,
  type ExpectedVersion,
  type JsonObject,
  type StoredEventIn,
  type StreamName,
  type TypedEventCatalogue,
} from "@synap/types";
import { readWithRegistered } from "@synap/types/internal";
import type { z } from "zod";
import type { ApplicationParts, SynapApplication } from "./config.ts";
import { type DeadLetters, typedDeadLetters } from "./dead-letters.ts";
import { type EngineDatabase, hasPersonalData, openEngine } from "./engine.ts";
import { type ApplicationReader, createApplicationReader } from "./event-reader.ts";
import { waitForHandler } from "./wait-for-handler.ts";

/** Options of {@link createSynap}: the database, and the parts that run in this process. */
export type SynapOptions = (
  | {
      /** The directory of `synap start`, which one process uses at a time. */ readonly dataDirectory: string;
    }
  | {
      /** A TimescaleDB server. */ readonly databaseUrl: string;
      /** The same database past a connection pooler, if `databaseUrl` leads through one. */
      readonly databaseDirectUrl?: string | undefined;
      /** A streaming replica of the database, to read events from. Reads see what this object has appended and read before. */
      readonly databaseReplicaUrl?: string | undefined;
    }
  | { /** An embedded store that ends with the process: for tests. */ readonly memory: true }
  | { /** An open database, which stays the caller's. */ readonly database: Database }
) & {
  /** Run asynchronous handlers and projections in this process. Default: true, except on a server, which has workers. */
  readonly runHandlers?: boolean;
  /**
   * Wraps the keys of the subjects of personal data: `keyFile(path)`, `vaultKeys(...)` or one of your own. With `dataDirectory` it is a
   * key file in there by default, in memory a key that ends with the process. An application without personal data needs none.
   */
  readonly personalData?:
    | { readonly keys: KeyProvider; readonly ledger?: ErasureLedger | undefined }
    | undefined;
  /** Default: warnings and errors go to the console. */
  readonly logger?: ReportLogger;
};

/** The position of a stored event in the log and in its stream. */
export interface StoredAt {
  /** The event's id; that of the first event if an idempotency key made this one a duplicate. */
  readonly id: string;
  readonly position: number;
  readonly streamVersion: number;
  readonly isDuplicate: boolean;
}

/** Options of a read of a read model. */
export interface ReadModelOptions extends CallOptions, PastMoment {
  /** Waits until the read model has the events up to this position. */
  readonly after?: number | undefined;
  /** Seconds to wait for it. Default 10. */
  readonly waitSeconds?: number | undefined;
}

/** Synap in an application's own process. Made by {@link createSynap}. */
export interface Synap<Types extends EventTypeMap, Parts extends ApplicationParts = ApplicationParts>
  extends ApplicationReader<Types> {
  readonly catalogue: TypedEventCatalogue<Types>;
  readonly database: Database;
  /**
   * Stores an event and runs inline handlers and projections. Repeating the call is harmless if the event has an id.
   * @throws EventValidationError
   */
  publish<const Name extends keyof Types & string>(event: EventToPublish<Types, Name>): Promise<StoredAt>;
  /**
   * Appends all events to a stream, or none: if the stream is at the expected version (default: any) and no inline handler fails.
   * @throws OptimisticLockError, StreamClosedError, StreamLockedError, EventIdConflictError, EventValidationError,
   *   InlineHandlerError
   */
  append<const Names extends readonly (keyof Types & string)[]>(
    stream: StreamName,
    events: EventsToAppend<Types, Names>,
    options?: StreamAppendOptions & { readonly expectedVersion?: ExpectedVersion },
  ): Promise<StreamAppendResult>;
  /**
   * Closes a stream, which then accepts no more events. Idempotent.
   * @throws StreamNotFoundError, OptimisticLockError, StreamLockedError
   */
  closeStream(
    stream: StreamName,
    options?: {
      readonly expectedVersion?: ExpectedVersion;
      readonly transaction?: Transaction | undefined;
    },
  ): Promise<void>;
  /**
   * Waits until a handler or projection has handled the events up to a position, to read what was just written. Where this process
   * runs no handlers, a worker must.
   * @throws UnknownNameError
   */
  waitFor(
    position: number,
    name: Parts["handlers"] | Parts["projections"],
    options?: CallOptions,
  ): Promise<void>;
  /**
   * The aggregates of one kind, with snapshots.
   * @throws ModuleError when the decider has an event type that the application does not define
   */
  aggregates<
    State extends JsonObject,
    Command extends AggregateCommand,
    Event extends DecidedEvent<keyof Types & string>,
  >(decider: Decider<State, Command, Event>): AggregateRepository<State, Command>;
  readonly projections: Projections<Parts["projections"]>;
  readonly sinks: Sinks;
  readonly deadLetters: DeadLetters<StoredEventIn<Types>, Parts>;
  /**
   * Queries a read model; with `after`, once it has the events up to that position. Where this process runs no handlers, a worker must.
   * Its past is folded from the log, one read at a time.
   * @throws PositionNotReachedError; for the past also MomentInFutureError, InvalidMomentError, AsOfUnavailableError, AsOfBusyError,
   *   and RangeError for `asOf` together with `knownAt` or `validAt`
   */
  readModel<Parameters extends z.ZodObject, Answer extends z.ZodType>(
    model: ReadModel<Parameters, Answer>,
    parameters: z.output<Parameters>,
    options?: ReadModelOptions,
  ): Promise<JsonSource<z.input<Answer>>>;
  /** Runs work in one transaction of the database; appends in it take it as an option. */
  transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result>;
  /** Waits for running passes, and closes the database if it was opened here. */
  close(): Promise<void>;
}

/** Folder of the embedded database in the data directory of `synap start`. */
export const EMBEDDED_FOLDER = "database";
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

const consoleLogger: ReportLogger = {
  info: () => {},
  warn: (fields, message) => console.warn(message, fields),
  error: (fields, message) => console.error(message, fields),
};

/**
 * Runs an application's engine in this process: one store, with the inline handlers and projections always attached. The
 * database is migrated first.
 *
 * @throws as `openDatabase` and `migrate`
 * @example
 * const synap = await createSynap(config, { dataDirectory: ".synap" });
 * await synap.publish({ type: "order.placed", aggregateId: "o1", data: { total: 12.5 } });
 * await synap.close();
 */
export async function createSynap<
  Types extends EventTypeMap,
  Parts extends ApplicationParts = ApplicationParts,
>(application: SynapApplication<Types, Parts>, options: SynapOptions): Promise<Synap<Types, Parts>> {
  const { logger = consoleLogger } = options;
  const { engine, close } = await openEngine(application, placeOf(options), {
    logger,
    replica: replicaOf(options),
    ...(options.personalData ?? (await ownKeysOf(application.catalogue, options))),
  });
  const { database, dispatcher, names, personalData, point, reads, store } = engine;
  const { registered } = engine.catalogue;
  const catalogue =
    registered === undefined ? application.catalogue : application.catalogue.withRegistered(registered);
  const modelPositions = createModelPositions(database);
  const pastReads = dispatcher.pastReads();
  const runner = new HandlerRunner({ dispatcher, database, logger });
  if (options.runHandlers ?? database.engine === "embedded") {
    await firstPasses(dispatcher, application.projections);
    runner.start();
  }
  return {
    catalogue,
    database,
    async publish(event) {
      const complete = await readWithRegistered(catalogue, () => catalogue.createSynapEvent(event));
      const outcome = await dispatcher.store.append(complete);
      if (outcome.status === "rejected") throw new EventValidationError(outcome.issues);
      const { id, position, streamVersion, status } = outcome;
      raisePoint(point, position);
      return { id, position, streamVersion, isDuplicate: status === "duplicate" };
    },
    append: (stream, events, { expectedVersion = "any", ...appendOptions } = {}) =>
      store.appendToStream(stream, expectedVersion, events, appendOptions),
    ...createApplicationReader({ reads, point, catalogue, names, personalData }),
    closeStream: (stream, { expectedVersion = "any", transaction } = {}) =>
      store.closeStream(stream, expectedVersion, { transaction }),
    waitFor: (position, name, { signal } = {}) => waitForHandler(dispatcher, position, name, signal),
    aggregates(decider) {
      checkDecider("aggregates", decider, new Set(catalogue.types.map(({ name }) => name)));
      return engine.aggregatesOf(decider);
    },
    projections: dispatcher.projections,
    sinks: dispatcher.sinks,
    deadLetters: typedDeadLetters<Types>(dispatcher.deadLetters, names, personalData),
    async readModel(model, parameters, { after, waitSeconds = 10, signal, ...moments } = {}) {
      signal?.throwIfAborted();
      const past = askedPast(moments);
      if (past !== undefined) {
        const read = { visibility: { all: true }, parameters, past, maxBytes: MAX_RESPONSE_BYTES } as const;
        return (await pastReads.read(model, read)).answer;
      }
      if (after !== undefined)
        await modelPositions.reach(model, after, { waitMs: waitSeconds * 1_000, signal });
      return model.read(database, parameters, { maxBytes: MAX_RESPONSE_BYTES });
    },
    transaction: (work) => database.transaction(work),
    async close() {
      await runner.stop();
      await close();
    },
  };
}

/**
 * Makes one pass of each inline projection. A projection becomes part of appends with the pass that reaches the end of the log: in a
 * new store, before the first event is published. What fails here, the runner tries again and reports.
 */
async function firstPasses(
  dispatcher: Pick<EventDispatcher, "catchUp">,
  projections: readonly Projection[],
): Promise<void> {
  for (const { name, mode } of projections) {
    if (mode === "inline") await dispatcher.catchUp(name).catch(() => {});
  }
}

/** The key file of a data directory, if the application has personal data. */
async function ownKeysOf(
  catalogue: EventCatalogue,
  options: SynapOptions,
): Promise<SynapOptions["personalData"]> {
  if (!("dataDirectory" in options) || !hasPersonalData(catalogue.types)) return undefined;
  return ownKeyFile(options.dataDirectory);
}

function replicaOf(options: SynapOptions): { readonly url: string } | undefined {
  const url = "databaseUrl" in options ? options.databaseReplicaUrl : undefined;
  return url === undefined ? undefined : { url };
}

function placeOf(options: SynapOptions): EngineDatabase {
  if ("database" in options) return { database: options.database };
  if ("databaseUrl" in options) return { url: options.databaseUrl, directUrl: options.databaseDirectUrl };
  if ("memory" in options) return { memory: true };
  return { dataDirectory: join(options.dataDirectory, EMBEDDED_FOLDER) };
}
