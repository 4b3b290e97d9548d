import type { ConnectionUse, HandlerRetry, HandlerStatistics, StoreStatistics } from "@synap/database";
import { type Gauge, gauge, type Sample } from "./exposition-format.ts";

/** The store in numbers, as every process exposes it. */
export function storeGauges(statistics: StoreStatistics): Gauge[] {
  const {
    events,
    handlers,
    unhandledFailures = [],
    lockHolders = [],
    deadLetters,
    databaseSize,
  } = statistics;
  return [
    ...eventGauges(events),
    ...handlerGauges(handlers),
    gauge(
      "synap_unhandled_failures",
      "Promises and callbacks that a handler left behind and that failed, in the last day; handler is empty when unknown.",
      ...unhandledFailures.map(({ handler = "", failures }) => ({ labels: { handler }, value: failures })),
    ),
    gauge("synap_dead_letters", "Dead letters that nobody has dealt with.", { value: deadLetters }),
    gauge("synap_database_bytes", "Size of the database, indexes included.", { value: databaseSize }),
    gauge(
      "synap_lock_waits",
      "Sessions of the database that wait for a lock, by the session that holds it.",
      ...lockHolders.map(({ pid, applicationName, waiting }) => ({
        labels: { pid: String(pid), application: applicationName },
        value: waiting,
      })),
    ),
    ...protectionGauges(statistics),
  ];
}

/** Without the holder's statement, which is long, changes at every scrape and may hold data. */
function eventGauges({
  stored,
  streams,
  lastPosition,
  watermark,
  watermarkHolder,
}: StoreStatistics["events"]): Gauge[] {
  const held = watermarkHolder && {
    labels: { pid: String(watermarkHolder.pid), application: watermarkHolder.applicationName },
    value: watermarkHolder.ageMs / 1000,
  };
  return [
    gauge("synap_events_stored", "Events ever stored; estimated beyond a million appends.", {
      value: stored,
    }),
    gauge("synap_streams", "Streams; estimated beyond a million.", { value: streams }),
    gauge("synap_last_position", "Position of the newest event.", { value: lastPosition }),
    gauge("synap_watermark", "Position up to which everything can be read.", { value: watermark }),
    gauge(
      "synap_watermark_holder_age_seconds",
      "Age of the transaction that holds the watermark back; absent when none does.",
      held,
    ),
  ];
}

/** A projection keeps its series through every rebuild: its builds are labelled by their role, not by their number. */
function handlerLabels({ name, projection, role }: HandlerStatistics): Record<string, string> {
  return projection === undefined || role === undefined ? { handler: name } : { handler: projection, role };
}

function handlerGauges(handlers: StoreStatistics["handlers"]): Gauge[] {
  const retrying = (figure: (retry: HandlerRetry) => number) =>
    handlers.flatMap((handler) => {
      const { retrying } = handler;
      if (retrying === undefined) return [];
      const labels = { ...handlerLabels(handler), waiting: retrying.waiting, code: retrying.code };
      return [{ labels, value: figure(retrying) }];
    });
  // The segments of a build are one series: as far as the last of them is.
  const each = (figure: "checkpoint" | "lag", worst: (...values: number[]) => number) => {
    const series = new Map<string, Sample>();
    for (const handler of handlers) {
      const labels = handlerLabels(handler);
      const key = JSON.stringify(labels);
      const value = handler[figure];
      series.set(key, { labels, value: worst(value, series.get(key)?.value ?? value) });
    }
    return [...series.values()];
  };
  return [
    gauge(
      "synap_handler_checkpoint",
      "Position of the last event dealt with.",
      ...each("checkpoint", Math.min),
    ),
    gauge("synap_handler_lag_events", "Events that are yet to be dealt with.", ...each("lag", Math.max)),
    gauge(
      "synap_handler_failed_attempts",
      "Failed attempts in a row at what a handler tries again; waiting says whether the handler or streams of it wait.",
      ...retrying(({ attempts }) => attempts),
    ),
    gauge(
      "synap_handler_waiting_streams",
      "Streams that wait while an event of them is tried again.",
      ...retrying(({ streams }) => streams),
    ),
    gauge(
      "synap_handler_next_attempt_timestamp_seconds",
      "When a handler tries again, in seconds since 1970.",
      ...retrying(({ nextAttemptAt }) => Date.parse(nextAttemptAt) / 1000),
    ),
  ];
}

/** How busy the connections of this process to a server are. */
export function connectionGauges(connections: readonly ConnectionUse[]): Gauge[] {
  const each = (figure: "max" | "busy" | "waiting") =>
    connections.map((use) => ({ labels: { purpose: use.purpose }, value: use[figure] }));
  return [
    gauge("synap_database_connections_max", "Connections to the database at the most.", ...each("max")),
    gauge("synap_database_connections_busy", "Connections in use.", ...each("busy")),
    gauge(
      "synap_database_connections_waiting",
      "Statements and transactions that wait for a connection.",
      ...each("waiting"),
    ),
  ];
}

/** What other logins could do to the log, and what their sessions have nearly used up. */
function protectionGauges({ exposures = [], sharedResources = [] }: StoreStatistics): Gauge[] {
  return [
    gauge(
      "synap_log_exposures",
      "What lets logins without a role of ours harm the log, by kind; absent when nothing does.",
      ...exposures.map(({ kind, count }) => ({ labels: { kind }, value: count })),
    ),
    gauge(
      "synap_shared_resource_used_ratio",
      "How full is what all sessions of the database server share, from 0 to 1; absent while there is enough of it.",
      ...sharedResources.map(({ resource, used }) => ({ labels: { resource }, value: used })),
    ),
  ];
}
