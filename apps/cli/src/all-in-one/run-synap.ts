import { type ApiConfiguration, readApiConfiguration, startApi } from "@synap/api";
import type { Database } from "@synap/database";
import { ownKeyFile } from "@synap/database/internal";
import type { Composition } from "@synap/handlers";
import type { UnhandledFailures } from "@synap/handlers/internal";
import {
  createCommandLogger,
  createInngestClient,
  describeUnknownSettings,
  readErasureLedger,
  readPersonalDataKeys,
  readReplica,
  type ServerUrls,
} from "@synap/service";
import { defaultApplication, hasPersonalData, openEngine } from "@synap/synap/internal";
import type { EventCatalogue } from "@synap/types";
import { keepRegistered, readWorkerConfiguration, startWorker } from "@synap/worker";
import { loadOrCreateToken } from "../data-directory/kept-token.ts";
import { openDataDirectory, refuseDirectoryInUse } from "../data-directory/open-data-directory.ts";
import { RELEASE } from "../terminal/release.ts";
import { type InngestChoice, startInngest } from "./inngest.ts";
import { brokerKeys, inngestAccess } from "./inngest-access.ts";
import { loadOperatorKey } from "./operator-key.ts";
import { reservePorts } from "./ports.ts";

/** Options of {@link runSynap}. */
export interface RunSynapOptions {
  /** The data directory, locked for this process while it runs. */
  readonly dataDirectory: string;
  /** A TimescaleDB server. Default: the embedded database, in the data directory. */
  readonly server?: ServerUrls;
  /** The port of the API; 0 for any free port. */
  readonly apiPort: number;
  /** The port of the worker, which Inngest calls; 0 for any free port. */
  readonly workerPort: number;
  /** The port of the local broker or of Inngest's dev server; 0 for any free port. */
  readonly brokerPort: number;
  /** Default: the local broker. */
  readonly inngest?: InngestChoice;
  /** The application, from `defineConfig`. Default: the seeded domain. */
  readonly application?: Composition;
  readonly logLevel: string;
  /** Retry delays of the local broker, in milliseconds. Default: Inngest's own. */
  readonly retryDelays?: number[];
  /** Unhandled failures of this process, counted in the database. */
  readonly failures?: UnhandledFailures;
  /** Cancels the start; the parts that were started are stopped. */
  readonly signal?: AbortSignal;
}

/** A running Synap. */
export interface RunningSynap {
  readonly apiUrl: string;
  readonly workerUrl: string;
  readonly brokerUrl: string;
  /** Absolute path. */
  readonly dataDirectory: string;
  readonly database: Database;
  /** The event types of the application. */
  readonly catalogue: EventCatalogue;
  /** An API key with every scope, which is also in the data directory. */
  readonly token: string;
  /** True if programs of this machine may publish and read without a credential. */
  readonly localAccess: boolean;
  /** Stops the API after it has sent accepted events, then Inngest, the worker and the database. */
  stop(): Promise<void>;
}

const HOST = "127.0.0.1";

/**
 * Maximum size of an envelope, in bytes, with an Inngest that Synap starts, which accepts 3 MiB. A batch of 1,000 events is then
 * one envelope, one call and one append instead of two or three of each. Other Inngest servers may have a lower limit.
 */
const OWN_ENVELOPE_BYTES = 1024 * 1024;

/**
 * Runs all of Synap in this process.
 *
 * @throws DataDirectoryError, StartError, and the errors of the database; all parts are stopped then
 */
export async function runSynap(options: RunSynapOptions): Promise<RunningSynap> {
  const { signal = new AbortController().signal } = options;
  const logger = createCommandLogger("synap", options.logLevel);
  for (const warning of describeUnknownSettings(process.env)) logger.warn(warning);
  const started: { name: string; stop: () => Promise<void> }[] = [];
  const stop = async () => {
    const faults: unknown[] = [];
    for (let part = started.pop(); part !== undefined; part = started.pop()) {
      logger.debug(`stopping the ${part.name}`);
      // If one part fails to stop, the others, especially the database, must still be stopped.
      await part.stop().catch((fault: unknown) => faults.push(fault));
    }
    if (faults.length > 0) throw faults[0];
  };
  try {
    const ports = await choosePorts(options).catch((error: unknown) => {
      // A second start finds both the ports and the directory in use; the directory names the process.
      refuseDirectoryInUse(options.dataDirectory);
      throw error;
    });
    const apiUrl = `http://${HOST}:${ports.api}`;
    const workerUrl = `http://${HOST}:${ports.worker}`;
    const directory = openDataDirectory({
      path: options.dataDirectory,
      release: RELEASE,
      urls: { API: apiUrl, worker: workerUrl },
    });
    started.push({ name: "data directory", stop: async () => directory.close() });
    const { application = defaultApplication } = options;

    const { server } = options;
    const apiConfiguration = configureApi(ports.api, options.inngest, () =>
      loadOrCreateToken(directory.path, "session-secret"),
    );
    const workerConfiguration = readWorkerConfiguration({
      ...process.env,
      SYNAP_WORKER_HOST: HOST,
      SYNAP_WORKER_PORT: String(ports.worker),
    });
    const { databaseConnections: maxConnections, lockTimeoutMs: lockTimeout } = workerConfiguration;
    const replica = server === undefined ? undefined : readReplica(process.env, apiConfiguration);
    // A server's data is read by other processes too, which need the same keys.
    const wrapping = readPersonalDataKeys(process.env);
    const personalData =
      wrapping === undefined && server === undefined && hasPersonalData(application.catalogue.types)
        ? await ownKeyFile(directory.path)
        : { keys: wrapping, ledger: readErasureLedger(process.env, (text) => logger.warn(text)) };
    const { engine, close } = await openEngine(
      application,
      server === undefined
        ? { dataDirectory: directory.databasePath }
        : { ...server, maxConnections, lockTimeout },
      { logger, latenessMs: apiConfiguration.latenessMs, replica, ...personalData },
    );
    started.push({ name: "database", stop: close });
    const { database } = engine;
    const token = await loadOperatorKey(database, directory.path);
    const { failures } = options;
    if (failures !== undefined) {
      failures.recordIn(database);
      started.push({ name: "count of failures", stop: () => failures.endRecording() });
    }
    signal.throwIfAborted();

    const brokerUrl =
      options.inngest instanceof URL ? options.inngest.origin : `http://${HOST}:${ports.broker}`;
    const keys = brokerKeys(directory.path, process.env);
    const access = inngestAccess(options.inngest ?? "local", brokerUrl, keys, process.env);
    const inngestClient = () => createInngestClient({ ...access, logger });
    const worker = await startWorker({
      configuration: workerConfiguration,
      engine,
      inngest: inngestClient(),
      logger: logger.child({ name: "worker" }),
    });
    started.push({ name: "worker", stop: () => worker.close() });

    const inngest = await startInngest({
      choice: options.inngest ?? "local",
      keys,
      database,
      server,
      host: HOST,
      port: ports.broker,
      appUrl: `${worker.url}/api/inngest`,
      register: () => worker.register(),
      logger: logger.child({ name: "inngest" }),
      signal,
      ...(options.retryDelays === undefined ? {} : { retryDelays: options.retryDelays }),
    });
    started.push({ name: "Inngest", stop: () => inngest.stop() });
    await inngest.ready();
    if (options.inngest !== undefined && options.inngest !== "local") {
      const registering = new AbortController();
      const kept = keepRegistered({
        register: () => worker.register(),
        logger: logger.child({ name: "worker" }),
        signal: registering.signal,
      });
      started.push({
        name: "registration",
        stop: () => {
          registering.abort();
          return kept;
        },
      });
    }

    const api = await startApi({
      configuration: apiConfiguration,
      engine,
      inngest: inngestClient(),
      logger: logger.child({ name: "api" }),
    });
    started.push({ name: "API", stop: () => api.close() });
    signal.throwIfAborted();
    return {
      apiUrl: api.url,
      workerUrl: worker.url,
      brokerUrl,
      dataDirectory: directory.path,
      database,
      catalogue: application.catalogue,
      token,
      localAccess: apiConfiguration.identity.localAccess,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function choosePorts(
  options: RunSynapOptions,
): Promise<{ api: number; worker: number; broker: number }> {
  const isElsewhere = options.inngest instanceof URL;
  const [api = 0, worker = 0, broker = 0] = await reservePorts(
    [
      { name: "API", port: options.apiPort, option: "--port" },
      { name: "worker", port: options.workerPort, option: "--worker-port" },
      ...(isElsewhere ? [] : [{ name: "local broker", port: options.brokerPort, option: "--broker-port" }]),
    ],
    HOST,
  );
  return { api, worker, broker };
}

function configureApi(
  port: number,
  inngest: InngestChoice | undefined,
  sessionSecret: () => string,
): ApiConfiguration {
  return readApiConfiguration({
    ...(inngest instanceof URL ? {} : { SYNAP_ENVELOPE_MAX_BYTES: String(OWN_ENVELOPE_BYTES) }),
    SYNAP_API_KEYS: "true",
    ...process.env,
    SYNAP_API_HOST: HOST,
    SYNAP_API_PORT: String(port),
    SYNAP_SESSION_SECRET: process.env["SYNAP_SESSION_SECRET"] || sessionSecret(),
  });
}
