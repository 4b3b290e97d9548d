import type { ConnectionUse } from "@synap/database";
import type { HandlerRetry, HandlerStatistics, StoreStatistics } from "@synap/database/internal";
import { type Gauge, gauge, type Sample } from "./exposition-format.ts";

/** Converts the statistics of the store to gauges, which every process exposes. */
export function storeGauges(statistics: StoreStatistics): Gauge[] {
  const {
    events,
    handlers,
    unhandledFailures = [],
    lockHolders = [],
    unfinishedErasures = 0,
    deadLetters,
    databaseSize,
  } = statistics;
  return [
    ...eventGauges(events),
    ...handlerGauges(handlers),
    gauge(
      "synap_unhandled_failures",
      "Failures of promises and callbacks that a handler did not await, in the last day; handler is empty when unknown.",
      ...unhandledFailures.map(({ handler = "", failures }) => ({ labels: { handler }, value: failures })),
    ),
    gauge("synap_dead_letters", "Open dead letters.", { value: deadLetters }),
    gauge(
      "synap_unfinished_erasures",
      "Erasures of personal data that were interrupted, or that a hold keeps back.",
      {
        value: unfinishedErasures,
      },
    ),
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
    ...chainGauges(statistics),
  ];
}

/** The watermark holder's statement is not a label, because it is long, changes at every scrape and may contain data. */
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
    gauge("synap_watermark", "Position up to which the log is complete.", { value: watermark }),
    gauge(
      "synap_watermark_holder_age_seconds",
      "Age of the transaction that holds back the watermark; absent when there is none.",
      held,
    ),
  ];
}

/** The labels of a handler. Builds are labelled by role, not by number, so a projection keeps its series through rebuilds. */
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
  // The segments of a build are one series, with the value of the slowest one.
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
      "Checkpoint: position of the last handled event.",
      ...each("checkpoint", Math.min),
    ),
    gauge("synap_handler_lag_events", "Events after the checkpoint.", ...each("lag", Math.max)),
    gauge(
      "synap_handler_failed_attempts",
      "Consecutive failed attempts; the label waiting distinguishes the whole handler from single streams.",
      ...retrying(({ attempts }) => attempts),
    ),
    gauge(
      "synap_handler_waiting_streams",
      "Streams that wait for the retry of one of their events.",
      ...retrying(({ streams }) => streams),
    ),
    gauge(
      "synap_handler_next_attempt_timestamp_seconds",
      "Time of the next attempt, in seconds since 1970.",
      ...retrying(({ nextAttemptAt }) => Date.parse(nextAttemptAt) / 1000),
    ),
  ];
}

/** The gauges of this process's connections to the database server. */
export function connectionGauges(connections: readonly ConnectionUse[]): Gauge[] {
  const each = (figure: "max" | "busy" | "waiting") =>
    connections.map((use) => ({ labels: { purpose: use.purpose }, value: use[figure] }));
  return [
    gauge("synap_database_connections_max", "Largest number of connections to the database.", ...each("max")),
    gauge("synap_database_connections_busy", "Connections in use.", ...each("busy")),
    gauge(
      "synap_database_connections_waiting",
      "Statements and transactions that wait for a connection.",
      ...each("waiting"),
    ),
  ];
}

/** The gauges of rights of other logins that endanger the log, and of nearly exhausted shared resources. */
function protectionGauges({ exposures = [], sharedResources = [] }: StoreStatistics): Gauge[] {
  return [
    gauge(
      "synap_log_exposures",
      "Rights of other logins that endanger the log, by kind; absent when there are none.",
      ...exposures.map(({ kind, count }) => ({ labels: { kind }, value: count })),
    ),
    gauge(
      "synap_shared_resource_used_ratio",
      "Used fraction of a resource that all sessions of the database server share; absent while enough is free.",
      ...sharedResources.map(({ resource, used }) => ({ labels: { resource }, value: used })),
    ),
  ];
}

/** The gauges of the hash chain over the log, and of chunks that were dropped. */
function chainGauges({ chain, missingChunks = [], archived }: StoreStatistics): Gauge[] {
  const { lag, verified } = chain;
  return [
    gauge("synap_chain_lag_events", "Stored events that are not in the hash chain yet.", { value: lag }),
    gauge(
      "synap_chain_faults",
      "Differences between the log and its hash chain that the last verification found; absent before the first one.",
      verified && { value: verified.faults },
    ),
    gauge(
      "synap_chain_verified_timestamp_seconds",
      "Time of the last verification, in seconds since 1970; absent before the first one.",
      verified && { value: Date.parse(verified.at) / 1000 },
    ),
    gauge("synap_missing_chunks", "Chunks of events that were dropped.", { value: missingChunks.length }),
    gauge("synap_archived_events", "Events that are in an archive and not in the database.", {
      value: archived?.events ?? 0,
    }),
  ];
}
