import type { ReplicaUse } from "@synap/database";
import {
  connectionGauges,
  EXPOSITION_CONTENT_TYPE,
  type Gauge,
  gauge,
  storeGauges,
  writeMetrics,
} from "@synap/service";
import type { ApiApp, ApiDependencies } from "../api-dependencies.ts";
import { responseHeaders } from "../response-headers.ts";
import { type ApiRoute, problemResponses, registerRoute } from "./route-registration.ts";
import { readStatus } from "./status.ts";

const route = {
  scope: "metrics",
  method: "get",
  path: "/metrics",
  operationId: "metrics",
  tags: ["operations"],
  summary: "Get metrics for Prometheus",
  responses: {
    200: {
      description: "Prometheus' text format, version 0.0.4.",
      content: { "text/plain": { schema: { type: "string" } } },
    },
    ...problemResponses("database-unavailable"),
  },
} satisfies ApiRoute;

type Status = Awaited<ReturnType<typeof readStatus>>;

/** GET /metrics. Scrapers may add parameters of their own. */
export function metricsRoute(app: ApiApp, dependencies: ApiDependencies): void {
  registerRoute(app, route, async (context) => {
    const text = writeMetrics([...gaugesOf(await readStatus(dependencies)), snapshotGauge(dependencies)]);
    return new Response(text + (await dependencies.metrics.write()), {
      status: 200,
      headers: responseHeaders(context.get("requestId"), { "content-type": EXPOSITION_CONTENT_TYPE }),
    });
  });
}

function snapshotGauge({ aggregates }: Pick<ApiDependencies, "aggregates">): Gauge {
  const samples = aggregates.map(({ decider, repository }) => ({
    labels: { aggregate_type: decider.name },
    value: repository.skippedSnapshots(),
  }));
  return gauge(
    "synap_skipped_snapshots",
    "Snapshots that this process skipped because the state would not survive as JSON.",
    ...samples,
  );
}

/** Gauges read from the store at each scrape. Numbers of events and streams are estimated beyond a million, so they may fall. */
function gaugesOf(status: Status): Gauge[] {
  const { release, engine, timescaledb } = status;
  return [
    gauge("synap_build_info", "Release and engine; always 1.", {
      labels: { release, engine, timescaledb: timescaledb.version },
      value: 1,
    }),
    ...storeGauges(status),
    ...acceptedGauges(status),
    ...connectionGauges(status.connections),
    ...replicaGauges(status.replica),
    ...publisherGauges(status.publisher),
    ...pageGauges(status.pages),
  ];
}

/** Metrics of accepted events that have not reached the log. */
function acceptedGauges({ notStored, keptInBroker, inTransit, processes }: Status): Gauge[] {
  const running = (role: "api" | "worker") => ({
    labels: { role },
    value: processes.filter((one) => one.role === role).length,
  });
  return [
    gauge(
      "synap_not_stored_dead_letters",
      "Dead letters of accepted events that are not stored, open or skipped.",
      { labels: { status: "open" }, value: notStored.open },
      { labels: { status: "skipped" }, value: notStored.skipped },
    ),
    gauge(
      "synap_kept_in_broker",
      "Events that no function handles, and failure handlers that fail; absent if the broker does not report them.",
      ...(keptInBroker === undefined
        ? []
        : [
            { labels: { kind: "unmatched-event" }, value: keptInBroker.unmatchedEvents },
            { labels: { kind: "failing-handler" }, value: keptInBroker.failingHandlers },
          ]),
    ),
    gauge(
      "synap_in_transit_age_seconds",
      "Age of the oldest event, of a sample that this process accepted, that is neither stored nor a dead letter; 0 when all have arrived.",
      { value: (inTransit?.oldestAgeMs ?? 0) / 1000 },
    ),
    gauge("synap_other_processes", "Other running processes.", running("api"), running("worker")),
    gauge(
      "synap_event_type_differences",
      "Running processes whose event types differ from those of this one.",
      {
        value: processes.filter(({ difference }) => difference !== undefined).length,
      },
    ),
  ];
}

/** Without a replica they have no samples. */
function replicaGauges(replica: ReplicaUse | undefined): Gauge[] {
  const samples = (value: (use: ReplicaUse) => number) =>
    replica === undefined ? [] : [{ value: value(replica) }];
  const reads = replica && [
    { labels: { answered_by: "replica", reason: "" }, value: replica.served },
    ...Object.entries(replica.passedOn).map(([reason, value]) => ({
      labels: { answered_by: "primary", reason },
      value,
    })),
  ];
  return [
    gauge(
      "synap_replica_in_use",
      "1 while events are read from the replica, 0 while the primary answers instead.",
      ...samples(({ inUse }) => (inUse ? 1 : 0)),
    ),
    gauge(
      "synap_replica_position",
      "Position up to which the replica is known to be complete.",
      ...samples(({ position }) => position),
    ),
    gauge(
      "synap_replica_lag_seconds",
      "Time for which the replica had been behind the primary when that last answered.",
      ...samples(({ lagMs }) => lagMs / 1000),
    ),
    gauge(
      "synap_replica_reads",
      "Reads since the start that the replica answered, or left to the primary and why.",
      ...(reads ?? []),
    ),
  ];
}

function publisherGauges({ queuedEvents, queuedBytes, envelopesInFlight }: Status["publisher"]): Gauge[] {
  return [
    gauge("synap_publisher_queued_events", "Events waiting for the broker.", { value: queuedEvents }),
    gauge("synap_publisher_queued_bytes", "Size of the events waiting for the broker.", {
      value: queuedBytes,
    }),
    gauge("synap_publisher_in_flight", "Envelopes in flight to the broker.", { value: envelopesInFlight }),
  ];
}

function pageGauges({ reservedBytes, maxBytes, waiting }: Status["pages"]): Gauge[] {
  return [
    gauge("synap_pages_reserved_bytes", "Bytes reserved for pages that are read and sent.", {
      value: reservedBytes,
    }),
    gauge("synap_pages_max_bytes", "Byte budget for pages that are read and sent.", { value: maxBytes }),
    gauge("synap_pages_waiting", "Requests that wait for the page budget.", { value: waiting }),
  ];
}
