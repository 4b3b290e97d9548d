import { randomUUID } from "node:crypto";
import type { Database, SqlSession } from "@synap/database";
import type { IEventHandler, Sink } from "@synap/handlers";
import { type QueueDatabase, type QueueSession, startInngestLocal } from "@synap/inngest-local";
import { engineOn } from "@synap/synap/testing/engine-on.ts";
import { ENVELOPE_EVENT_NAME } from "@synap/types/internal";
import { Inngest } from "inngest";
import { pino } from "pino";
import { readWorkerConfiguration, startWorker, type WorkerOptions } from "../src/index.ts";
import { canonical, EVENT_KEY, SIGNING_KEY, signed } from "./signed-call.ts";

/** A broker and a worker that is registered with it, speaking real HTTP through the real SDK. */
export interface BrokerAndWorker {
  /** The worker's URL. */
  readonly url: string;
  /** Hands an envelope to the broker under an id of its own, as the API does. */
  publish(data: Readonly<Record<string, unknown>>): Promise<void>;
  /** The ended runs of a function: how they ended and what the dashboard shows as their result. */
  runs(functionId: string): Promise<{ status: string; output: unknown }[]>;
  /** Number of failed attempts of a function's open run. */
  failedAttempts(functionId: string): Promise<number>;
  /**
   * Calls a function of the worker as an Inngest server calls it, once, and gives what it returned. `attempt` counts from 0,
   * `steps` are those that have ended in the run.
   */
  call(
    functionId: string,
    event: { readonly name: string; readonly data: object },
    run?: { readonly attempt?: number; readonly steps?: Readonly<Record<string, null>> },
  ): Promise<unknown>;
  /** The functions that the worker has registered, as the broker stores them. */
  functions(): Promise<unknown[]>;
  stopWorker(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts both on free ports, on one database. */
export async function startBrokerAndWorker(
  database: Database,
  parts: Partial<Pick<WorkerOptions, "ingestRetries">> & {
    /** Default: those of the seeded domain. */
    readonly handlers?: readonly IEventHandler[];
    readonly sinks?: readonly Sink[];
    readonly residentHandlers?: boolean;
    /** The worker's database. Default: the database itself. */
    readonly database?: Database;
    /** The `fetch` of the worker's Inngest client. */
    readonly fetch?: typeof fetch;
    readonly serveOrigin?: string;
    readonly allowedHosts?: readonly string[];
    /** Called with the worker's URL when it listens and Inngest doesn't know it yet. */
    readonly beforeRegistering?: (url: string) => Promise<void>;
  } = {},
): Promise<BrokerAndWorker> {
  const queue = queueOn(database);
  const quiet = pino({ level: process.env["LOG_LEVEL"] ?? "silent" });
  const broker = await startInngestLocal({
    database: queue,
    keys: { signingKey: SIGNING_KEY, eventKeys: [EVENT_KEY] },
    port: 0,
    appUrls: [],
    retryDelays: 100,
    logger: quiet,
  });
  const keys = { isDev: false, eventKey: EVENT_KEY, signingKey: SIGNING_KEY };
  const client = { id: "synap", ...keys, baseUrl: broker.url, logger: quiet };
  const inngest = new Inngest(client);
  const worker = await startWorker({
    configuration: {
      ...readWorkerConfiguration({}),
      port: 0,
      residentHandlers: parts.residentHandlers ?? false,
      ...(parts.serveOrigin === undefined ? {} : { serveOrigin: parts.serveOrigin }),
      ...(parts.allowedHosts === undefined ? {} : { allowedHosts: parts.allowedHosts }),
    },
    engine: await engineOn(parts.database ?? database, {
      ...(parts.handlers !== undefined && { handlers: parts.handlers }),
      ...(parts.sinks !== undefined && { sinks: parts.sinks }),
    }),
    inngest: parts.fetch === undefined ? inngest : new Inngest({ ...client, fetch: parts.fetch }),
    logger: quiet,
    ...(parts.ingestRetries !== undefined && { ingestRetries: parts.ingestRetries }),
  });
  await parts.beforeRegistering?.(worker.url);
  await worker.register();
  return {
    url: worker.url,
    publish: async (data) => {
      await inngest.send({ name: ENVELOPE_EVENT_NAME, data: { ...data } });
    },
    runs: async (functionId) => {
      const rows = await queue.query<{ status: string; output: string | null }>(
        `SELECT status, output FROM inngest_local.runs
         WHERE function_id = $1 AND status <> 'open' ORDER BY created_at, id`,
        [`synap-${functionId}`],
      );
      return rows.map(({ status, output }) => ({
        status,
        output: output === null ? null : JSON.parse(output),
      }));
    },
    failedAttempts: async (functionId) => {
      const [row] = await queue.query<{ attempt: number | null }>(
        "SELECT max(attempt) AS attempt FROM inngest_local.jobs WHERE function_id = $1",
        [`synap-${functionId}`],
      );
      return row?.attempt ?? 0;
    },
    call: async (functionId, event, { attempt = 0, steps = {} } = {}) => {
      const called = { id: randomUUID(), ts: Date.now(), user: {}, ...event };
      const body = canonical({
        ctx: {
          run_id: randomUUID(),
          attempt,
          max_attempts: 21,
          stack: { stack: Object.keys(steps), current: Object.keys(steps).length },
        },
        event: called,
        events: [called],
        steps,
        version: -1,
        use_api: false,
      });
      const response = await fetch(`${worker.url}/api/inngest?fnId=synap-${functionId}&stepId=step`, {
        method: "POST",
        headers: signed(body),
        body,
      });
      return response.json();
    },
    functions: async () => {
      const rows = await queue.query<{ functions: string }>("SELECT functions FROM inngest_local.apps");
      return rows.flatMap((row): unknown[] => JSON.parse(row.functions));
    },
    stopWorker: () => worker.close(),
    stop: async () => {
      await broker.stop();
      await worker.close();
    },
  };
}

/** The local broker's queue in a database of the store's kind. */
export function queueOn(database: Database): QueueDatabase {
  const session = (owner: SqlSession): QueueSession => ({
    query: (text, parameters = []) => owner.query(text, parameters.map(toParameter)),
  });
  return {
    query: (text, parameters) => database.asOwner((owner) => session(owner).query(text, parameters)),
    transaction: (work) => database.asOwner((owner) => work(session(owner))),
  };
}

function toParameter(value: unknown): string | number | boolean | null {
  if (
    value === null ||
    typeof value === "string" ||
    typeof value === "number" ||
    typeof value === "boolean"
  ) {
    return value;
  }
  throw new TypeError(`the queue passes text, numbers, booleans and null, not ${typeof value}`);
}
