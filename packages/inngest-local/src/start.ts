import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Broker } from "./broker.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { AppClient } from "./http/app-client.ts";
import { Backlog } from "./intake/backlog.ts";
import { KeptWork } from "./intake/kept-work.ts";
import { consoleLogger, type InngestLocalOptions } from "./options.ts";
import { readApps } from "./queue/apps.ts";
import { EventBodyCache } from "./queue/event-body-cache.ts";
import { Maintenance, takeOver } from "./queue/maintenance.ts";
import { DEFAULT_RETENTION } from "./queue/prune.ts";
import { QueueClock } from "./queue/queue-clock.ts";
import { installInngestLocal } from "./queue/schema.ts";
import { AppPoller } from "./registration/app-poller.ts";
import { FunctionRegistry } from "./registration/function-registry.ts";
import { RefusalLog } from "./registration/refusal-log.ts";
import { parseCron } from "./schedule/cron-pattern.ts";
import { CronSchedule } from "./schedule/cron-schedule.ts";
import { fireCron } from "./schedule/fire-cron.ts";
import { startServer } from "./server.ts";
import { readKeys } from "./signing/read-keys.ts";

/** An app uses a feature that the broker doesn't support; the message names the function and the option. */
export class RegistrationRefusedError extends Error {
  readonly code = "REGISTRATION_REFUSED";
  override readonly name = "RegistrationRefusedError";
}

/** The apps did not register in time. */
export class RegistrationTimeoutError extends Error {
  readonly code = "REGISTRATION_TIMEOUT";
  override readonly name = "RegistrationTimeoutError";
}

/** A running local broker. */
export interface InngestLocal {
  /** Base URL for apps, and address of the page. */
  readonly url: string;
  /**
   * Resolves once every app of `appUrls` has registered with this process. Await it before accepting traffic: events sent
   * earlier start only the functions known by then (from an earlier process, or of the first app to register), and are
   * refused while there are none.
   *
   * @param timeout in milliseconds, default 30,000
   * @throws RegistrationRefusedError when an app uses an unsupported feature
   * @throws RegistrationTimeoutError
   */
  ready(timeout?: number): Promise<void>;
  /**
   * Refuses further events (503), starts no more calls, waits for calls in flight up to the deadline and closes the port.
   * Unfinished runs stay queued. The database stays open: it is the caller's. May be called twice.
   */
  stop(): Promise<void>;
}

const DEFAULTS = {
  host: "127.0.0.1",
  port: 8288,
  maxCallsInFlight: 100,
  maxDelay: Number.POSITIVE_INFINITY,
  callTimeout: 2 * 3_600_000,
  failureHandlerDelay: 3_600_000,
  registerInterval: 1_000,
  reregisterInterval: 15_000,
  maxRequestBytes: 128 * 1024 * 1024,
  stopDeadline: 10_000,
};

/**
 * Starts a local broker: installs its tables, takes over the queue, continues what an earlier process left unfinished,
 * and asks the apps to register.
 *
 * @throws InngestKeysError when required keys are missing or invalid; errors of the database; EADDRINUSE when the port is
 * taken
 */
export async function startInngestLocal(options: InngestLocalOptions): Promise<InngestLocal> {
  const settings = { ...DEFAULTS, ...definedOnly(options) };
  const logger = options.logger ?? consoleLogger;
  const keys = readKeys(options.keys, settings.host);
  const { database } = options;
  const retention = { ...DEFAULT_RETENTION, ...options.retention };
  const instance = randomUUID();

  await installInngestLocal(database);
  const clock = new QueueClock(await takeOver(database, instance), options.clocks);
  const registry = new FunctionRegistry();
  registry.restore(await readApps(database));

  const client = new AppClient(keys?.signing, settings.callTimeout);
  const kept = new KeptWork();
  const broker: Broker = {
    database,
    clock,
    registry,
    bodies: new EventBodyCache(database),
    backlog: new Backlog(settings.maxDelay),
    kept,
    retention,
    retryDelays: options.retryDelays,
    failureHandlerDelay: settings.failureHandlerDelay,
    logger,
    wake: (dueAt) => {
      maintenance.noteActivity();
      dispatcher.wake(dueAt);
    },
    offer: (jobs) => {
      maintenance.noteActivity();
      dispatcher.offer(jobs);
    },
    runningJobs: () => dispatcher.runningJobs(),
  };
  const dispatcher = new Dispatcher(broker, client, {
    instance,
    maxCallsInFlight: settings.maxCallsInFlight,
    onRefused: (url) => poller.askAgain(url),
  });
  const onLost = () => {
    logger.error({}, "another inngest-local has taken this queue over; stopping");
    void stop();
  };
  const maintenance = new Maintenance(database, clock, retention, instance, logger, onLost, () =>
    kept.refresh(broker),
  );
  const cron = new CronSchedule(
    () => clock.wall(),
    (trigger, scheduledAt) => {
      fireCron(broker, trigger, scheduledAt).catch((error: unknown) => {
        logger.error(
          { error, functionId: trigger.functionId, scheduledAt },
          "a cron run could not be stored",
        );
      });
    },
  );
  const refusals = new RefusalLog();
  const onChange = new Set<() => void>();
  const intervals = { waiting: settings.registerInterval, registered: settings.reregisterInterval };
  const poller = new AppPoller(settings.appUrls, client, intervals, logger, refusals, () => {
    for (const listener of onChange) listener();
  });
  let cronsScheduled = "";
  const onRegistered = () => {
    const crons = registry
      .all()
      .flatMap(({ id, crons }) => crons.map((pattern) => ({ functionId: id, pattern })));
    if (JSON.stringify(crons) !== cronsScheduled) {
      cronsScheduled = JSON.stringify(crons);
      cron.replace(crons.map((trigger) => ({ ...trigger, cron: parseCron(trigger.pattern) })));
    }
    dispatcher.wake();
    kept.refreshSoon(broker);
  };
  let stopping = false;
  const server = await startServer(broker, {
    host: settings.host,
    port: settings.port,
    hostNames: options.hostNames ?? [],
    keys,
    maxRequestBytes: settings.maxRequestBytes,
    isStopping: () => stopping,
    refusals,
    onRegistered,
    calledRuns: () => dispatcher.calledRuns(),
    appStates: () => poller.states(),
  });

  onRegistered();
  await kept.finished();
  poller.start();
  maintenance.start();

  const end = async () => {
    stopping = true;
    poller.stop();
    cron.stop();
    maintenance.stop();
    // The port closes after them, because functions in flight save their steps through it.
    await dispatcher.stop(settings.stopDeadline);
    await maintenance.finished();
    await kept.finished();
    client.close();
    await server.close();
  };
  let ended: Promise<void> | undefined;
  const stop = () => {
    ended ??= end();
    return ended;
  };

  const ready = async (timeout = 30_000) => {
    const deadline = performance.now() + timeout;
    for (;;) {
      const states = poller.states();
      const refused = states.flatMap(({ url, state }) =>
        state.state === "refused" ? [`${url}: ${state.reason}`] : [],
      );
      if (refused.length > 0) throw new RegistrationRefusedError(refused.join("; "));
      const waiting = states.filter(({ state }) => state.state === "waiting");
      if (waiting.length === 0) return;
      if (performance.now() >= deadline) {
        throw new RegistrationTimeoutError(
          `not registered within ${timeout} ms: ${waiting.map(({ url }) => url).join(", ")}`,
        );
      }
      const cancel = new AbortController();
      const changed = new Promise<void>((resolve) => onChange.add(resolve));
      await Promise.race([
        changed,
        sleep(deadline - performance.now(), undefined, { signal: cancel.signal }).catch(() => undefined),
      ]);
      cancel.abort();
      onChange.clear();
    }
  };
  return { url: server.url, ready, stop };
}

/** Removes options that are undefined, so that their defaults apply. */
function definedOnly<Options extends object>(options: Options): Options {
  const copy = { ...options };
  for (const [key, value] of Object.entries(copy)) if (value === undefined) Reflect.deleteProperty(copy, key);
  return copy;
}
