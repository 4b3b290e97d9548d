import { setMaxListeners } from "node:events";
import {
  createEventStore,
  createExposureWatch,
  type Database,
  deadLetterBacklog,
  type EventStore,
  letterCounts,
  repeatedEvents,
  startPresence,
  storeStatistics,
} from "@synap/database";
import { seededComposition } from "@synap/domain";
import {
  type Composition,
  createAggregateRepository,
  createSnapshotStore,
  EventDispatcher,
  INGEST_HANDLER,
  operatingWarnings,
} from "@synap/handlers";
import { databaseCheck, migrationsCheck, writeCheck } from "@synap/service";
import type { EventCatalogue } from "@synap/types";
import type { Logger } from "pino";
import type { ApiPorts } from "./api-context.ts";
import { createApiApp } from "./app.ts";
import type { ApiConfiguration } from "./configuration.ts";
import { listenHttp } from "./http/http-server.ts";
import { createDuplicateLookup } from "./intake/duplicate-lookup.ts";
import { createFunctionRegistration } from "./intake/function-registration.ts";
import { createTransitWatch } from "./intake/transit-watch.ts";
import { unreadyTypes } from "./intake/unready-types.ts";
import { PageBudget } from "./pages/page-budget.ts";
import { createInngestSender, envelopeLimits } from "./publisher/envelope.ts";
import { createEventApi, type EventApi, type EventDestination } from "./publisher/event-api.ts";
import { createPublisher, type Publisher } from "./publisher/publisher.ts";
import { brokerCheck, registrationCheck } from "./readiness/broker-checks.ts";
import { createKeptReader } from "./readiness/kept-in-broker.ts";

/**
 * What the API works with. The database and the Inngest client stay the caller's. Handlers and projections are those of the
 * worker: dead letters can be retried here, and commands run the inline ones. Default: the seeded domain.
 */
export interface ApiParts
  extends Partial<
    Pick<Composition, "handlers" | "projections" | "aggregates" | "readModels" | "migrations">
  > {
  readonly configuration: ApiConfiguration;
  /** Open and migrated. */
  readonly database: Database;
  readonly catalogue: EventCatalogue;
  /** Tells where events go: an Inngest client, as `createInngestClient` makes it. */
  readonly inngest: EventDestination;
  readonly logger: Logger;
  /** Milliseconds between two signs of life. Default: 5,000. */
  readonly presenceIntervalMs?: number;
}

/** An API that runs. */
export interface RunningApi {
  /** Where it listens, without a trailing slash. */
  readonly url: string;
  /** Stops: takes no more requests, finishes those in flight, sends what waits for the broker. */
  close(): Promise<void>;
}

/**
 * Starts the HTTP API.
 *
 * @throws an error of the operating system when the address is taken (code EADDRINUSE).
 */
export async function startApi(parts: ApiParts): Promise<RunningApi> {
  const { configuration, database, inngest, logger } = parts;
  const eventApi = createEventApi(inngest);
  const publisher = publisherOf(parts, eventApi);
  const { catalogue } = parts;
  const { handlers, projections, aggregates, readModels } = { ...seededComposition, ...parts };
  const dispatcher = new EventDispatcher({ database, catalogue, handlers, projections });
  const commands = commandStore(parts, dispatcher);
  const closing = new AbortController();
  // Every tail listens to it.
  setMaxListeners(0, closing.signal);
  const presence = await startPresence({
    database,
    role: "api",
    catalogue,
    logger,
    intervalMs: parts.presenceIntervalMs,
  });
  const store = createEventStore({ database, catalogue: parts.catalogue });
  const exposures = createExposureWatch(database);
  const keptInBroker = createKeptReader(inngest);
  const areFunctionsRegistered = createFunctionRegistration(database);
  const transit = createTransitWatch(database);
  const ports: ApiPorts = {
    configuration,
    catalogue: parts.catalogue,
    store,
    commands,
    acceptance: {
      publisher,
      findDuplicates: createDuplicateLookup((events) => repeatedEvents(database, events), logger),
      unreadyTypes: () => unreadyTypes(presence.others()),
      areFunctionsRegistered,
      onAccepted: transit.accepted,
    },
    aggregates: serveAggregates(parts, aggregates, commands),
    readModels,
    readTables: database,
    pages: new PageBudget({ maxBytes: configuration.pagesMaxBytes, maxWaitMs: configuration.pagesMaxWaitMs }),
    statistics: () => storeStatistics(database),
    connections: () => database.connections(),
    engine: describeEngine(database),
    databaseFailed: database.failed,
    readiness: [
      databaseCheck(database),
      migrationsCheck(database, parts.migrations ?? []),
      writeCheck(database),
      brokerCheck(inngest),
      registrationCheck(areFunctionsRegistered),
    ],
    warnings: async () =>
      operatingWarnings(database, await presence.look(), {
        needsWorker: true,
        exposures,
        kept: await keptInBroker(),
        inTransit: await transit.look(),
      }),
    keptInBroker,
    inTransit: transit.look,
    processes: presence,
    notStored: () => letterCounts(database, INGEST_HANDLER),
    admin: {
      handlers,
      deadLetters: dispatcher.deadLetters,
      projections: dispatcher.projections,
      deadLetterBacklog: () => deadLetterBacklog(database),
    },
    closing: closing.signal,
    logger,
  };
  const http = await listenHttp(createApiApp(ports).fetch, configuration).catch(async (error: unknown) => {
    await presence.close();
    throw error;
  });
  return {
    url: http.url,
    close: async () => {
      closing.abort();
      await http.close();
      await publisher.close();
      eventApi.close();
      await presence.close();
    },
  };
}

/** Commands ask whether they may: an inline handler that refuses their events refuses the command. */
function commandStore(
  { database, catalogue, configuration }: ApiParts,
  dispatcher: EventDispatcher,
): EventStore {
  const lateness = configuration.latenessMs;
  return createEventStore({ database, catalogue, lateness, onAppend: dispatcher.inlineHook("reject") });
}

function serveAggregates(
  { database, logger }: ApiParts,
  aggregates: Composition["aggregates"],
  store: EventStore,
): ApiPorts["aggregates"] {
  const snapshots = {
    store: createSnapshotStore(database),
    onFailure: (err: unknown) => logger.warn({ err }, "a snapshot could not be read, written or taken"),
  };
  return aggregates.map(({ decider, path }) => ({
    decider,
    path,
    repository: createAggregateRepository({ store, decider, snapshots }),
  }));
}

function publisherOf({ configuration, logger }: ApiParts, eventApi: EventApi): Publisher {
  const deadlineMs = configuration.publishDeadlineMs;
  return createPublisher(createInngestSender(eventApi, deadlineMs, logger), {
    concurrency: configuration.publishConcurrency,
    lingerMs: configuration.lingerMs,
    deadlineMs,
    maxQueuedEvents: configuration.queueMaxEvents,
    maxQueuedBytes: configuration.queueMaxBytes,
    maxWaitMs: configuration.queueMaxWaitMs,
    envelope: envelopeLimits(configuration.envelopeMaxBytes),
  });
}

function describeEngine({ engine, capabilities }: Database): ApiPorts["engine"] {
  const { postgresVersion, timescaledbVersion = "none", edition = "none" } = capabilities;
  return { engine, postgresql: postgresVersion, timescaledb: { version: timescaledbVersion, edition } };
}
