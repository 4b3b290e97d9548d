import type { RouteConfig } from "@hono/zod-openapi";
import type { HandlerRetry, HandlerStatistics } from "@synap/database";
import { EXPOSITION_CONTENT_TYPE, type Gauge, type Sample, writeMetrics } from "@synap/service";
import { answerHeaders } from "../answer-headers.ts";
import type { ApiApp, ApiPorts } from "../api-context.ts";
import { problemAnswers, registerRoute } from "./route-registration.ts";
import { readStatus } from "./status.ts";

const route = {
  method: "get",
  path: "/metrics",
  operationId: "metrics",
  tags: ["operations"],
  summary: "The figures of the status, for Prometheus",
  responses: {
    200: {
      description: "Prometheus' text format, version 0.0.4.",
      content: { "text/plain": { schema: { type: "string" } } },
    },
    ...problemAnswers("database-unavailable"),
  },
} satisfies RouteConfig;

type Status = Awaited<ReturnType<typeof readStatus>>;

/** GET /metrics. Scrapers may add parameters of their own. */
export function metricsRoute(app: ApiApp, ports: ApiPorts): void {
  registerRoute(app, route, async (context) => {
    const text = writeMetrics([...gaugesOf(await readStatus(ports)), snapshotGauge(ports)]);
    return new Response(text, {
      status: 200,
      headers: answerHeaders(context.get("requestId"), { "content-type": EXPOSITION_CONTENT_TYPE }),
    });
  });
}

function snapshotGauge({ aggregates }: Pick<ApiPorts, "aggregates">): Gauge {
  const samples = aggregates.map(({ decider, repository }) => ({
    labels: { aggregate_type: decider.name },
    value: repository.skippedSnapshots(),
  }));
  return gauge(
    "synap_skipped_snapshots",
    "Snapshots that this process did not take, because the state read back would differ.",
    ...samples,
  );
}

/** Gauges only: events and streams are estimated beyond a million, so even they may fall. */
function gaugesOf(status: Status): Gauge[] {
  const { release, engine, timescaledb, deadLetters, databaseSize } = status;
  return [
    gauge("synap_build_info", "What runs; always 1.", {
      labels: { release, engine, timescaledb: timescaledb.version },
      value: 1,
    }),
    ...eventGauges(status.events),
    ...handlerGauges(status.handlers),
    gauge(
      "synap_unhandled_failures",
      "Promises and callbacks that a handler left behind and that failed, in the last day; handler is empty when unknown.",
      ...(status.unhandledFailures ?? []).map(({ handler = "", failures }) => ({
        labels: { handler },
        value: failures,
      })),
    ),
    gauge("synap_dead_letters", "Dead letters that nobody has dealt with.", { value: deadLetters }),
    ...acceptedGauges(status),
    gauge("synap_database_bytes", "Size of the database, indexes included.", { value: databaseSize }),
    ...connectionGauges(status),
    ...protectionGauges(status),
    ...publisherGauges(status.publisher),
    ...pageGauges(status.pages),
  ];
}

/** Without the holder's statement, which is long, changes at every scrape and may hold data. */
function eventGauges({
  stored,
  streams,
  lastPosition,
  watermark,
  watermarkHolder,
}: Status["events"]): Gauge[] {
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

/** What went wrong, or may, between the API's answer and the log. */
function acceptedGauges({ notStored, keptInBroker, inTransit, processes }: Status): Gauge[] {
  const running = (role: "api" | "worker") => ({
    labels: { role },
    value: processes.filter((one) => one.role === role).length,
  });
  return [
    gauge(
      "synap_not_stored_dead_letters",
      "Dead letters that hold accepted events: open, or skipped by somebody.",
      { labels: { status: "open" }, value: notStored.open },
      { labels: { status: "skipped" }, value: notStored.skipped },
    ),
    gauge(
      "synap_kept_in_broker",
      "Events that no function listens to, and failure handlers that fail; absent where the broker does not say.",
      ...(keptInBroker === undefined
        ? []
        : [
            { labels: { kind: "unheard-event" }, value: keptInBroker.unheardEvents },
            { labels: { kind: "failing-handler" }, value: keptInBroker.failingHandlers },
          ]),
    ),
    gauge(
      "synap_in_transit_age_seconds",
      "Age of the oldest event, of a sample that this process accepted, that is neither stored nor a dead letter; 0 when all have arrived.",
      { value: (inTransit?.oldestAgeMs ?? 0) / 1000 },
    ),
    gauge("synap_other_processes", "Processes that run beside this one.", running("api"), running("worker")),
    gauge("synap_event_type_differences", "Processes that know other event types than this one.", {
      value: processes.filter(({ difference }) => difference !== undefined).length,
    }),
  ];
}

/** A projection keeps its series through every rebuild: its builds are labelled by their role, not by their number. */
function handlerLabels({ name, projection, role }: HandlerStatistics): Record<string, string> {
  return projection === undefined || role === undefined ? { handler: name } : { handler: projection, role };
}

function handlerGauges(handlers: Status["handlers"]): Gauge[] {
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

/** How busy the connections to a server are, and for whose locks others wait. */
function connectionGauges({ connections, lockHolders = [] }: Status): Gauge[] {
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
    gauge(
      "synap_lock_waits",
      "Sessions of the database that wait for a lock, by the session that holds it.",
      ...lockHolders.map(({ pid, applicationName, waiting }) => ({
        labels: { pid: String(pid), application: applicationName },
        value: waiting,
      })),
    ),
  ];
}

/** What other logins could do to the log, and what their sessions have nearly used up. */
function protectionGauges({ exposures = [], sharedResources = [] }: Status): Gauge[] {
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

function publisherGauges({ queuedEvents, queuedBytes, envelopesInFlight }: Status["publisher"]): Gauge[] {
  return [
    gauge("synap_publisher_queued_events", "Events waiting for the broker.", { value: queuedEvents }),
    gauge("synap_publisher_queued_bytes", "Size of the events waiting for the broker.", {
      value: queuedBytes,
    }),
    gauge("synap_publisher_in_flight", "Envelopes under way to the broker.", { value: envelopesInFlight }),
  ];
}

function pageGauges({ reservedBytes, maxBytes, waiting }: Status["pages"]): Gauge[] {
  return [
    gauge("synap_pages_reserved_bytes", "Room taken by pages that are read and sent.", {
      value: reservedBytes,
    }),
    gauge("synap_pages_max_bytes", "Room for pages that are read and sent.", { value: maxBytes }),
    gauge("synap_pages_waiting", "Requests that wait for room for their page.", { value: waiting }),
  ];
}

function gauge(name: string, help: string, ...samples: readonly (Sample | undefined)[]): Gauge {
  return { name, help, samples: samples.filter((sample) => sample !== undefined) };
}
