import { setMaxListeners } from "node:events";
import type { Database } from "@synap/database";
import {
  createExposureWatch,
  createPositionCheck,
  deadLetterBacklog,
  deadLetterCounts,
  endSession,
  findApiKey,
  findSession,
  ownRows,
  recordApiKeyUse,
  recordSessionUse,
  registerEventType,
  repeatedEvents,
  startPresence,
  storeStatistics,
  visibleEventStats,
} from "@synap/database/internal";
import {
  asConsumer,
  createModelPositions,
  INGEST_HANDLER,
  operatingWarnings,
} from "@synap/handlers/internal";
import { isLoopback } from "@synap/http";
import { createProcessMetrics, databaseCheck, migrationsCheck, writeCheck } from "@synap/service";
import { SYNAP_COMMAND } from "@synap/service/called-as";
import type { Engine } from "@synap/synap/internal";
import { MAX_AS_OF_EVENTS, MAX_KNOWN_BATCHES, MAX_KNOWN_BYTES } from "@synap/types/http";
import type { Logger } from "pino";
import { createAmendedLookup } from "./acceptance/amended-events.ts";
import { createDuplicateLookup } from "./acceptance/duplicate-lookup.ts";
import { createTakenLookup } from "./acceptance/taken-streams.ts";
import { createTransitWatch } from "./acceptance/transit-watch.ts";
import type { ApiDependencies } from "./api-dependencies.ts";
import { createApiApp } from "./app.ts";
import { brokerCheck, createKeptReader } from "./broker/broker-state.ts";
import { createInngestSender, envelopeLimits } from "./broker/envelopes.ts";
import { createEventApi, type EventApi, type EventDestination } from "./broker/event-api.ts";
import { Publisher } from "./broker/publisher.ts";
import { createFunctionRegistration, registrationCheck, unreadyTypes } from "./broker/ready-workers.ts";
import type { ApiConfiguration } from "./configuration.ts";
import { listenHttp } from "./http/http-server.ts";
import {
  type Authenticate,
  type AuthenticationOptions,
  createAuthentication,
} from "./identity/authentication.ts";
import { createCredentialWatch } from "./identity/credential-watch.ts";
import { createKeyPrincipals } from "./identity/key-principals.ts";
import { createSessionCookie } from "./identity/session-cookie.ts";
import { createSessionPrincipals } from "./identity/session-principals.ts";
import { createTokenPrincipals } from "./identity/token-principals.ts";
import { PageBudget } from "./page-budget.ts";
import { createPrincipalLimits } from "./rate-limits/principal-limits.ts";
import { createIdentityProvider } from "./signing-in/identity-provider.ts";
import { createProviderSignIn } from "./signing-in/provider-sign-in.ts";
import { createSignInLinks } from "./signing-in/sign-in-links.ts";

/** Options of the API. The caller closes the engine. */
export interface ApiOptions {
  readonly configuration: ApiConfiguration;
  /** The engine. Commands run its inline handlers, and dead letters of all its handlers can be retried here. */
  readonly engine: Engine;
  /** The broker's address and key: an Inngest client, created by `createInngestClient`. */
  readonly inngest: EventDestination;
  readonly logger: Logger;
  /** Milliseconds between two heartbeats. Default: 5,000. */
  readonly presenceIntervalMs?: number;
  /** A monotonic clock by which credentials are kept and limits refilled, in milliseconds. */
  readonly clock?: () => number;
  /** Milliseconds between two checks of the credential of a long response. Default: 5,000. */
  readonly credentialCheckMs?: number;
  /** Time limit of the look-up of duplicates, in milliseconds. Default: 500. */
  readonly duplicateLookupMs?: number;
}

/** A running API. */
export interface RunningApi {
  /** URL of the server, without a trailing slash. */
  readonly url: string;
  /** Stops the API: refuses new requests, finishes those in flight, and sends queued events to the broker. */
  close(): Promise<void>;
}

/**
 * Starts the HTTP API.
 *
 * @throws the operating system's error when the address is in use (code EADDRINUSE)
 */
export async function startApi(options: ApiOptions): Promise<RunningApi> {
  const { configuration, engine, inngest, logger } = options;
  const { catalogue, database, dispatcher, reads, store } = engine;
  const eventApi = createEventApi(inngest);
  const publisher = publisherOf(options, eventApi);
  const closing = new AbortController();
  // Every tail adds a listener.
  setMaxListeners(0, closing.signal);
  const presence = await startPresence({
    database,
    role: "api",
    catalogue,
    logger,
    intervalMs: options.presenceIntervalMs,
  });
  const exposures = createExposureWatch(database);
  const keptInBroker = createKeptReader(inngest);
  const areFunctionsRegistered = createFunctionRegistration(database);
  const transit = createTransitWatch(database);
  const metrics = createProcessMetrics();
  const sessions = sessionsOf(options);
  const cookie = createSessionCookie(configuration.host);
  const authenticate = authenticationOf(options, { sessions: sessions?.principals, cookie });
  const dependencies: ApiDependencies = {
    metrics,
    configuration,
    authenticate,
    checkPosition: createPositionCheck(database),
    sessions: { cookie, ...sessions },
    limits: createPrincipalLimits(configuration.rateLimits, options.clock),
    watchCredential: (request) => createCredentialWatch(authenticate, request, options.credentialCheckMs),
    catalogue,
    registerType: (description, actor) => registerEventType(database, description, { catalogue, actor }),
    reads,
    store: {
      ...store,
      appendToStream: (...append) => metrics.appending("stream", () => store.appendToStream(...append)),
    },
    personalData: engine.personalData,
    publishing: {
      publisher,
      personalData: engine.personalData,
      findDuplicates: createDuplicateLookup((events) => repeatedEvents(database, events), logger, {
        patienceMs: options.duplicateLookupMs,
      }),
      findTaken: createTakenLookup(database),
      findAmended: createAmendedLookup(store),
      unreadyTypes: () => unreadyTypes(presence.others()),
      areFunctionsRegistered,
      onOutcome: metrics.published,
      onAccepted: transit.accepted,
    },
    names: engine.names,
    aggregates: engine.aggregates.map(({ repository, ...each }) => ({
      ...each,
      repository: {
        ...repository,
        execute: (...command) => metrics.appending("command", () => repository.execute(...command)),
      },
    })),
    readModels: engine.readModels,
    modelPositions: createModelPositions(database),
    pastReads: dispatcher.pastReads({
      maxEvents: MAX_AS_OF_EVENTS,
      maxHeldBytes: MAX_KNOWN_BYTES,
      maxBatches: MAX_KNOWN_BATCHES,
    }),
    readTables: (visibility) => ownRows(database, visibility),
    pages: new PageBudget({ maxBytes: configuration.pagesMaxBytes, maxWaitMs: configuration.pagesMaxWaitMs }),
    eventStats: (visibility, request) => visibleEventStats(database, visibility, request),
    statistics: () => storeStatistics(database),
    connections: () => database.connections(),
    replica: () => engine.replica?.state(),
    engine: describeEngine(database),
    databaseFailed: database.failed,
    readiness: [
      databaseCheck(database),
      migrationsCheck(database, engine.migrations),
      writeCheck(database),
      brokerCheck(inngest),
      registrationCheck(areFunctionsRegistered),
    ],
    warnings: async () =>
      operatingWarnings(database, await presence.look(), {
        needsWorker: true,
        synapCommand: SYNAP_COMMAND,
        exposures,
        kept: await keptInBroker(),
        inTransit: await transit.look(),
      }),
    keptInBroker,
    inTransit: transit.look,
    processes: presence,
    notStored: () => deadLetterCounts(database, INGEST_HANDLER),
    admin: {
      handlers: [...engine.handlers, ...engine.sinks.map(asConsumer)],
      projectionDefinitions: engine.projections,
      deadLetters: dispatcher.deadLetters,
      projections: dispatcher.projections,
      sinks: dispatcher.sinks,
      processing: dispatcher.processing,
      deadLetterBacklog: () => deadLetterBacklog(database),
    },
    closing: closing.signal,
    logger,
  };
  const http = await listenHttp(createApiApp(dependencies).fetch, {
    ...configuration,
    onRefused: (method, status) => metrics.request("refused", method, status, 0),
  }).catch(async (error: unknown) => {
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

function sessionsOf({ configuration, engine: { database }, logger, clock: now }: ApiOptions) {
  const { sessionSecret: secret } = configuration.identity;
  if (secret === undefined) return undefined;
  const store = {
    find: (id: string) => findSession(database, id),
    recordUse: (id: string) => recordSessionUse(database, id),
    end: (id: string) => endSession(database, id),
  };
  const principals = createSessionPrincipals({ store, secret, logger, now });
  const signingIn = { database, secret, sessions: principals, logger };
  const { provider: found, host } = configuration;
  const provider = found && createIdentityProvider({ configuration: found, secret, logger });
  return {
    principals,
    end: principals.end,
    links: createSignInLinks(signingIn),
    ...(provider !== undefined && {
      provider: createProviderSignIn({
        ...signingIn,
        provider,
        cookie: createSessionCookie(host, "synap_sign_in"),
      }),
    }),
  };
}

function authenticationOf(
  { configuration, engine: { database }, logger, clock: now }: ApiOptions,
  browsers: Pick<AuthenticationOptions, "sessions" | "cookie">,
): Authenticate {
  const { apiKeys, localAccess, tokens } = configuration.identity;
  const store = {
    find: (id: string) => findApiKey(database, id),
    recordUse: (id: string) => recordApiKeyUse(database, id),
  };
  return createAuthentication({
    ...browsers,
    keys: apiKeys ? createKeyPrincipals({ store, logger, now }) : undefined,
    tokens: tokens === undefined ? undefined : createTokenPrincipals(tokens, logger, now),
    localAccess: localAccess && isLoopback(configuration.host),
  });
}

function publisherOf({ configuration, logger }: ApiOptions, eventApi: EventApi): Publisher {
  const { publishDeadlineMs: deadlineMs, envelopeMaxBytes: maxBytes } = configuration;
  return new Publisher(createInngestSender(eventApi, { maxBytes, deadlineMs, logger }), {
    concurrency: configuration.publishConcurrency,
    lingerMs: configuration.lingerMs,
    deadlineMs,
    maxQueuedEvents: configuration.queueMaxEvents,
    maxQueuedBytes: configuration.queueMaxBytes,
    maxWaitMs: configuration.queueMaxWaitMs,
    envelope: envelopeLimits(maxBytes),
  });
}

function describeEngine({ engine, capabilities }: Database): ApiDependencies["engine"] {
  const { postgresVersion, timescaledbVersion = "none", edition = "none" } = capabilities;
  return { engine, postgresql: postgresVersion, timescaledb: { version: timescaledbVersion, edition } };
}
