import { createProcessMetrics } from "@synap/service";
import { defaultApplication } from "@synap/synap/internal";
import { seedCatalogue } from "@synap/types";
import { pino } from "pino";
import { createApiApp } from "../src/app.ts";
import { Publisher } from "../src/broker/publisher.ts";
import { readApiConfiguration } from "../src/configuration.ts";
import { PageBudget } from "../src/page-budget.ts";

/** The routes without a server or a database: none of them is called but the document's own. */
export function unservedApp() {
  const away = () => Promise.reject(new Error("not in this test"));
  const never = (): never => {
    throw new Error("not in this test");
  };
  const publisher = new Publisher(away, {
    concurrency: 1,
    lingerMs: 0,
    deadlineMs: 1,
    maxQueuedEvents: 1,
    maxQueuedBytes: 1,
    maxWaitMs: 1,
    envelope: { maxEvents: 1, maxBytes: 1, maxGatheredBytes: 1 },
  });
  return createApiApp({
    configuration: readApiConfiguration({}),
    authenticate: never,
    checkPosition: never,
    sessions: { cookie: never },
    watchCredential: never,
    catalogue: seedCatalogue,
    registerType: away,
    store: {
      appendToStream: away,
      closeStream: away,
      findDuplicates: away,
      visibleTo: never,
    },
    reads: {
      visibleTo: never,
    },
    publishing: {
      publisher,
      findDuplicates: away,
      findTaken: away,
      findAmended: away,
      unreadyTypes: () => new Map(),
      areFunctionsRegistered: away,
      onOutcome: never,
      onAccepted: never,
    },
    aggregates: defaultApplication.aggregates.map((each) => ({
      ...each,
      repository: { load: away, execute: away, skippedSnapshots: () => 0 },
    })),
    readModels: defaultApplication.readModels,
    modelPositions: { read: away, reach: away },
    pastReads: { read: away },
    readTables: never,
    names: { check: away },
    pages: new PageBudget({ maxBytes: 12 * 1024 * 1024, maxWaitMs: 1 }),
    metrics: createProcessMetrics(),
    eventStats: away,
    statistics: away,
    connections: () => [],
    replica: () => undefined,
    engine: { engine: "none", postgresql: "0", timescaledb: { version: "0", edition: "none" } },
    readiness: [],
    databaseFailed: new Promise(() => {}),
    warnings: away,
    processes: { instance: "api@nowhere", look: away },
    notStored: away,
    keptInBroker: away,
    inTransit: away,
    admin: {
      handlers: [],
      projectionDefinitions: [],
      deadLetters: { page: away, retry: away, retryAll: away, skip: away },
      projections: {
        status: away,
        inlineBuilds: away,
        asOf: away,
        pause: away,
        resume: away,
        rebuild: away,
        compare: away,
        cutover: away,
        rollback: away,
        drop: away,
      },
      processing: { of: away, ofEach: away, resolve: away, unprocessed: away },
      sinks: { status: away, get: away, pause: away, resume: away },
      deadLetterBacklog: away,
    },
    closing: new AbortController().signal,
    logger: pino({ level: "silent" }),
  });
}
