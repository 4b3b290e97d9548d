import { type Database, migrate, openDatabase } from "@synap/database";
import { seedCatalogue } from "@synap/types";
import { pino } from "pino";
import { type ApiConfiguration, createInngestClient, readApiConfiguration, startApi } from "../src/index.ts";
import { type FaultBroker, startFaultBroker } from "./fault-broker.ts";

/** An API over real HTTP, on a database of its own, with a broker whose faults can be ordered. */
export interface TestApi {
  readonly url: string;
  readonly database: Database;
  readonly broker: FaultBroker;
  /** Stops the API as a signal would. */
  close(): Promise<void>;
  /** Stops everything. */
  stop(): Promise<void>;
}

export const BACKFILL_TOKEN = "a-token-for-the-tests";

/** Embedded, in memory; started in one to two seconds, so once for a file. */
export async function startTestApi(settings: Partial<ApiConfiguration> = {}): Promise<TestApi> {
  const database = await openDatabase({ memory: true });
  await migrate(database);
  const broker = await startFaultBroker();
  const logger = pino({ level: process.env["LOG_LEVEL"] ?? "silent" });
  const api = await startApi({
    configuration: { ...readApiConfiguration({}), port: 0, backfillToken: BACKFILL_TOKEN, ...settings },
    database,
    catalogue: seedCatalogue,
    inngest: createInngestClient({ baseUrl: broker.url, isDev: true, logger }),
    logger,
  });
  return {
    url: api.url,
    database,
    broker,
    close: api.close,
    stop: async () => {
      await api.close();
      await broker.stop();
      await database.close();
    },
  };
}
