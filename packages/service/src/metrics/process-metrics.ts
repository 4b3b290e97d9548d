import type { HandlerPass } from "@synap/handlers/internal";
import { Counter, Histogram, Registry } from "prom-client";

/** Bucket bounds for durations, in seconds. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The API's result for a published event. */
export type IntakeOutcome = "accepted" | "duplicate" | "rejected" | "unavailable";

/** The store's result for an accepted event. */
export type StoreOutcome = "stored" | "duplicate" | "refused";

/** The source of an append: an envelope at a worker, a request to a stream or a command at an API. */
export type AppendOperation = "envelope" | "stream" | "command";

/** The counters and histograms of a process. Gauges are read from the store at each scrape. */
export interface ProcessMetrics {
  /** @param route the path with its parameters in braces, which bounds the number of series; or `unmatched`, `refused` */
  request(route: string, method: string, status: number, milliseconds: number): void;
  /** Counts events published through the API. */
  published(outcome: IntakeOutcome, events: number): void;
  /** Counts accepted events that reached the store. */
  ingested(outcome: StoreOutcome, events: number): void;
  /** Times an append, successful or not. */
  appending<Result>(operation: AppendOperation, append: () => Promise<Result>): Promise<Result>;
  /** Times a pass of a handler or projection, successful or not. */
  passing(handler: string, pass: () => Promise<HandlerPass>): Promise<HandlerPass>;
  /** Writes all of them in Prometheus' text format. */
  write(): Promise<string>;
}

/**
 * Creates the counters and histograms of a process, all at zero. Those without samples are left out of the text. prom-client
 * writes them, because it implements histograms; `writeMetrics` writes the gauges.
 */
export function createProcessMetrics(): ProcessMetrics {
  const registers = [new Registry()];
  const [registry] = registers;
  const requests = new Histogram({
    name: "synap_http_request_duration_seconds",
    help: "Time from a request to the start of its response, by route and status.",
    labelNames: ["route", "method", "status"],
    buckets: SECONDS,
    registers,
  });
  const publishedEvents = new Counter({
    name: "synap_published_events_total",
    help: "Events published through the API, by result.",
    labelNames: ["outcome"],
    registers,
  });
  const ingestedEvents = new Counter({
    name: "synap_ingested_events_total",
    help: "Events of envelopes that reached the store, by result; refused ones are dead letters.",
    labelNames: ["outcome"],
    registers,
  });
  const appends = new Histogram({
    name: "synap_append_duration_seconds",
    help: "Time of an append, by its source: an envelope, a request to a stream, or a command.",
    labelNames: ["operation", "outcome"],
    buckets: SECONDS,
    registers,
  });
  const passes = new Histogram({
    name: "synap_handler_pass_duration_seconds",
    help: "Time of a pass of a handler or projection; busy: another process has its checkpoint.",
    labelNames: ["handler", "outcome"],
    buckets: SECONDS,
    registers,
  });
  const handledEvents = new Counter({
    name: "synap_handler_events_total",
    help: "Events processed by handlers and projections, and those of them that became dead letters.",
    labelNames: ["handler", "outcome"],
    registers,
  });

  return {
    request: (route, method, status, milliseconds) =>
      requests.labels(route, method, String(status)).observe(milliseconds / 1_000),
    published: (outcome, events) => publishedEvents.labels(outcome).inc(events),
    ingested: (outcome, events) => ingestedEvents.labels(outcome).inc(events),
    appending: (operation, append) =>
      timed(append, (seconds, result) =>
        appends.labels(operation, result === undefined ? "failed" : "done").observe(seconds),
      ),
    passing: (handler, pass) =>
      timed(pass, (seconds, result) => {
        const outcome = result === undefined ? "failed" : result.value.status === "busy" ? "busy" : "done";
        passes.labels(handler, outcome).observe(seconds);
        if (result === undefined || result.value.status === "busy") return;
        const { processed, deadLettered } = result.value;
        if (processed > 0) handledEvents.labels(handler, "processed").inc(processed);
        if (deadLettered > 0) handledEvents.labels(handler, "dead-lettered").inc(deadLettered);
      }),
    write: async () => withoutEmpty((await registry?.metrics()) ?? ""),
  };
}

/** Removes metrics without samples, as `writeMetrics` does. */
function withoutEmpty(text: string): string {
  return text
    .split(/\n(?=# HELP )/)
    .map((family) => family.trim())
    .filter((family) => family.split("\n").length > 2)
    .map((family) => `${family}\n`)
    .join("");
}

/** Runs work and reports its duration in seconds, with its result unless it failed. */
async function timed<Result>(
  work: () => Promise<Result>,
  report: (seconds: number, result: { readonly value: Result } | undefined) => void,
): Promise<Result> {
  const from = performance.now();
  const seconds = () => (performance.now() - from) / 1_000;
  try {
    const value = await work();
    report(seconds(), { value });
    return value;
  } catch (error) {
    report(seconds(), undefined);
    throw error;
  }
}
