import { type Database, type Engine, type KeyProvider, openDatabase, type Replica } from "@synap/database";
import {
  createApiKey,
  openReplica,
  recordFunctionRegistration,
  writeKeyToken,
} from "@synap/database/internal";
import { createTestDatabase, type WayToReplica } from "@synap/database/testing";
import type { Composition, IEventHandler, Projection, ReadModel, Sink } from "@synap/handlers";
import { createInngestClient } from "@synap/service";
import { engineOn } from "@synap/synap/testing/engine-on.ts";
import { type EventCatalogue, seedCatalogue } from "@synap/types";
import { SCOPES } from "@synap/types/http";
import { INNGEST_APP_ID } from "@synap/types/internal";
import { type Logger, pino } from "pino";
import { type ApiConfiguration, readApiConfiguration, startApi } from "../src/index.ts";
import { type FaultBroker, startFaultBroker } from "./fault-broker.ts";

/** An API over real HTTP, on a database of its own, with a broker whose faults can be ordered. */
export interface TestApi {
  readonly url: string;
  readonly database: Database;
  /** Of the database, on a server. */
  readonly databaseUrl: string | undefined;
  readonly replica: Replica | undefined;
  readonly broker: FaultBroker;
  /** Stops the API as a signal would. */
  close(): Promise<void>;
  /** Stops everything. */
  stop(): Promise<void>;
}

const KEY = { id: "0123456789ab", secret: "5".repeat(64) };
/** An API key with every scope. */
export const TOKEN = writeKeyToken(KEY);

/** Options of the API under test. */
export interface TestApiOptions {
  /** Default: the built-in ones. */
  readonly handlers?: readonly IEventHandler[];
  /** Default: none. */
  readonly projections?: readonly Projection[];
  /** Default: none. */
  readonly sinks?: readonly Sink[];
  /** Default: those of the seeded domain. */
  readonly readModels?: readonly ReadModel[];
  /** Default: those of the seeded domain. */
  readonly aggregates?: Composition["aggregates"];
  /** Default: the seeded event types. */
  readonly catalogue?: EventCatalogue;
  /** Wraps the keys of personal data. Default: none, for a catalogue without personal data. */
  readonly keys?: KeyProvider;
  /** Milliseconds between two signs of life. Default: the API's own. */
  readonly presenceIntervalMs?: number;
  /** Lock timeout of appends on a server, in milliseconds. Default: the database's own. */
  readonly lockTimeout?: number;
  /** Records a worker's registration with the broker. Default: true. */
  readonly isRegistered?: boolean;
  /** The clock by which credentials are kept and limits refilled, in milliseconds. Default: the process's own. */
  readonly clock?: () => number;
  /** Milliseconds between two checks of the credential of a long response. Default: the API's own. */
  readonly credentialCheckMs?: number;
  /** Default: none, or that of LOG_LEVEL. */
  readonly logger?: Logger;
  /** The broker's address. Default: the broker with injectable faults. */
  readonly brokerUrl?: string;
  /** A replica to read events from, and the longest wait for a position. Default: none. */
  readonly replica?: { readonly way: WayToReplica; readonly maxWait: number };
}

/** Started in one to two seconds, so once for a suite. */
export async function startTestApi(
  settings: Partial<ApiConfiguration> = {},
  engine: Engine = "embedded",
  {
    handlers,
    projections = [],
    sinks = [],
    readModels,
    aggregates,
    catalogue = seedCatalogue,
    keys,
    presenceIntervalMs,
    lockTimeout,
    isRegistered = true,
    brokerUrl,
    clock,
    credentialCheckMs,
    logger = pino({ level: process.env["LOG_LEVEL"] ?? "silent" }),
    replica: replicaOptions,
  }: TestApiOptions = {},
): Promise<TestApi> {
  const testDatabase = await createTestDatabase(engine);
  const { options } = testDatabase;
  const database =
    lockTimeout === undefined || !("url" in options)
      ? testDatabase.database
      : await openDatabase({ ...options, lockTimeout });
  await createApiKey(database, KEY, { name: "tests", kind: "machine", principalId: "tests", scopes: SCOPES });
  if (isRegistered) await recordFunctionRegistration(database, INNGEST_APP_ID);
  const broker = await startFaultBroker();
  const replica =
    replicaOptions &&
    (await openReplica(database, {
      url: replicaOptions.way.url(testDatabase),
      maxWait: replicaOptions.maxWait,
      maxLag: 120_000,
      maxSilence: 60_000,
      logger: { info: () => {}, warn: () => {}, error: () => {} },
    }));
  const api = await startApi({
    configuration: {
      ...readApiConfiguration({}),
      port: 0,
      ...settings,
    },
    engine: await engineOn(
      database,
      {
        catalogue,
        projections,
        sinks,
        ...(readModels !== undefined && { readModels }),
        ...(aggregates !== undefined && { aggregates }),
        ...(handlers !== undefined && { handlers }),
      },
      { latenessMs: settings.latenessMs, replica, keys },
    ),
    inngest: createInngestClient({ baseUrl: brokerUrl ?? broker.url, isDev: true, logger }),
    logger,
    ...(presenceIntervalMs !== undefined && { presenceIntervalMs }),
    ...(clock !== undefined && { clock }),
    ...(credentialCheckMs !== undefined && { credentialCheckMs }),
    // The tests expect that a duplicate is recognised, however busy the machine is.
    duplicateLookupMs: 60_000,
  });
  return {
    url: api.url,
    database,
    databaseUrl: "url" in options ? options.url : undefined,
    replica,
    broker,
    close: api.close,
    stop: async () => {
      await api.close();
      await broker.stop();
      await replica?.close();
      if (database !== testDatabase.database) await database.close();
      await testDatabase.drop();
    },
  };
}
