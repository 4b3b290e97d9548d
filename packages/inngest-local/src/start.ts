import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { AppClient } from "./dispatch/app-client.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { Backlog } from "./intake/backlog.ts";
import { KeptWork } from "./intake/kept-work.ts";
import { consoleLogger, type InngestLocalOptions } from "./options.ts";
import { readApps } from "./queue/apps.ts";
import { EventBodies } from "./queue/event-bodies.ts";
import { takeOver } from "./queue/owner.ts";
import { DEFAULT_RETENTION } from "./queue/prune.ts";
import { QueueClock } from "./queue/queue-clock.ts";
import { installInngestLocal } from "./queue/schema.ts";
import { Upkeep } from "./queue/upkeep.ts";
import { AppPoller } from "./registration/app-poller.ts";
import { FunctionRegistry } from "./registration/function-registry.ts";
import { RefusalLog } from "./registration/refusal-log.ts";
import { parseCron } from "./schedule/cron-pattern.ts";
import { CronSchedule } from "./schedule/cron-schedule.ts";
import { fireCron } from "./schedule/fire-cron.ts";
import { startServer } from "./server.ts";
import { readKeys } from "./signing/read-keys.ts";
import type { StandIn } from "./stand-in.ts";

/** An app's functions can't be run by the stand-in; the message names the function and the option. */
export class RegistrationRefusedError extends Error {
  readonly code = "REGISTRATION_REFUSED";
  override readonly name = "RegistrationRefusedError";
}

/** The apps did not register in time. */
export class RegistrationTimeoutError extends Error {
  readonly code = "REGISTRATION_TIMEOUT";
  override readonly name = "RegistrationTimeoutError";
}

/** A running stand-in. */
export interface InngestLocal {
  /** The base URL for apps, and the address of the page. */
  readonly url: string;
  /**
   * Resolves once every app of `appUrls` has registered with this process. Events sent earlier only start functions
   * that are known by then (from an earlier process, or of the first app to register) and are refused while there are
   * none, so wait for it before letting events in.
   *
   * @param timeout in milliseconds, default 30,000
   * @throws RegistrationRefusedError when an app uses what the stand-in doesn't support
   * @throws RegistrationTimeoutError
   */
  ready(timeout?: number): Promise<void>;
  /**
   * Takes no more events (503), begins nothing more, waits for calls in flight up to the deadline and closes the
   * port. What is queued or half done stays queued. The database stays open: it is the caller's. May be called twice.
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
 * Starts a stand-in for the Inngest server: installs its tables, takes the queue over, goes on with what an earlier
 * process left, and asks the apps to register.
 *
 * @throws InngestKeysError when there are no keys where there must be some, or they can't be used; whatever the database
 * throws; the port's error when it is taken
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
  const standIn: StandIn = {
    database,
    clock,
    registry,
    bodies: new EventBodies(database),
    backlog: new Backlog(settings.maxDelay),
    kept,
    retention,
    retryDelays: options.retryDelays,
    failureHandlerDelay: settings.failureHandlerDelay,
    logger,
    wake: (dueAt) => {
      upkeep.somethingHappened();
      dispatcher.wake(dueAt);
    },
    offer: (jobs) => {
      upkeep.somethingHappened();
      dispatcher.offer(jobs);
    },
    runningJobs: () => dispatcher.runningJobs(),
  };
  const dispatcher = new Dispatcher(standIn, client, {
    instance,
    maxCallsInFlight: settings.maxCallsInFlight,
    onRefused: (url) => poller.askAgain(url),
  });
  const onLost = () => {
    logger.error({}, "another inngest-local has taken this queue over; stopping");
    void stop();
  };
  const upkeep = new Upkeep(database, clock, retention, instance, logger, onLost, () =>
    kept.lookAfter(standIn),
  );
  const cron = new CronSchedule(
    () => clock.wall(),
    (trigger, scheduledAt) => {
      fireCron(standIn, trigger, scheduledAt).catch((error: unknown) => {
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
    kept.lookSoon(standIn);
  };
  let stopping = false;
  const server = await startServer(standIn, {
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
  upkeep.start();

  const end = async () => {
    stopping = true;
    poller.stop();
    cron.stop();
    upkeep.stop();
    // The port stays open meanwhile: functions in flight still save their steps through it.
    await dispatcher.stop(settings.stopDeadline);
    await upkeep.finished();
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

/** An option given as undefined means its default. */
function definedOnly<Options extends object>(options: Options): Options {
  const copy = { ...options };
  for (const [key, value] of Object.entries(copy)) if (value === undefined) Reflect.deleteProperty(copy, key);
  return copy;
}
