import { duration, median, percentile } from "@synap/cli/terminal/numbers.ts";
import type { Database } from "@synap/database";
import { count } from "@synap/types/internal";
import type { Measurement } from "./measure-event-store.ts";

/** A promise about speed, and whether it was kept. */
export interface Target {
  readonly name: string;
  readonly limit: number;
  readonly measured: number;
  readonly unit: "events/s" | "events" | "ms";
  readonly isMet: boolean;
}

const COMPARISON = { "events/s": "above", events: "exactly", ms: "below" } as const;

/** Targets of the store: more than 10,000 events/s in batches, and 1,000 events by time within 100 ms. */
export function checkTargets(measurement: Measurement): Target[] {
  const { eventsPerSecond, queryMs, stored, size, queryEvents } = measurement;
  const query = percentile(queryMs, 0.99);
  const expected = size.serialAppends + size.batchedEvents;
  return [
    {
      name: "batched appends",
      limit: 10_000,
      measured: eventsPerSecond,
      unit: "events/s",
      isMet: eventsPerSecond > 10_000,
    },
    {
      name: `query of ${count(queryEvents[1])} events, p99`,
      limit: 100,
      measured: query,
      unit: "ms",
      // Fast because it found nothing would be no response.
      isMet: query < 100 && queryEvents[0] >= size.eventsAQuery * 0.9,
    },
    { name: "events stored", limit: expected, measured: stored, unit: "events", isMet: stored === expected },
  ];
}

/** A figure of the run against another one of the same run, which a slow or busy machine leaves as it is. */
export interface Ratio {
  readonly name: string;
  readonly measured: number;
  readonly limit: number;
  readonly isKept: boolean;
}

/**
 * Limits that decide on a machine of unknown speed. They are far from what is measured on a quiet machine (0.6 to
 * 0.9, and 0.2 to 0.5): they find an append or a query that has become several times slower.
 */
export function checkRatios(measurement: Measurement): Ratio[] {
  const { batchMs, bareMs, queryMs, queryEvents, size, stored } = measurement;
  const speed = median(bareMs) / median(batchMs);
  const query = median(queryMs) / median(batchMs);
  const expected = size.serialAppends + size.batchedEvents;
  return [
    { name: "append against a bare insert, at least", measured: speed, limit: 0.3, isKept: speed >= 0.3 },
    { name: "query against an append, at most", measured: query, limit: 2, isKept: query <= 2 },
    {
      name: "events found by a query, at least",
      measured: queryEvents[0] / size.eventsAQuery,
      limit: 0.9,
      isKept: queryEvents[0] >= size.eventsAQuery * 0.9,
    },
    { name: "events stored", measured: stored / expected, limit: 1, isKept: stored === expected },
  ];
}

/** Formats the measurement as JSON. Times in milliseconds. */
export function reportAsJson(measurement: Measurement, database: Database): object {
  const { size, eventsPerSecond, stored, queryEvents } = measurement;
  return {
    engine: describeEngine(database),
    size,
    stored,
    serialAppendMs: summarise(measurement.serialMs),
    batchAppendMs: summarise(measurement.batchMs),
    eventsPerSecond: Math.round(eventsPerSecond),
    queryMs: summarise(measurement.queryMs),
    queryEvents: { least: queryEvents[0], most: queryEvents[1] },
    bareInsertMs: summarise(measurement.bareMs),
    bareEventsPerSecond: Math.round(bareEventsPerSecond(measurement)),
    targets: checkTargets(measurement),
    ratios: checkRatios(measurement),
  };
}

/** Formats the measurement for people. */
export function reportAsText(measurement: Measurement, database: Database): string {
  const { size, serialMs, batchMs, queryMs, eventsPerSecond } = measurement;
  const { engine, timescaledb, edition } = describeEngine(database);
  const targets = checkTargets(measurement);
  return [
    `event store on the ${engine} engine (TimescaleDB ${timescaledb}, ${edition} edition)`,
    "",
    "                                          p50        p95        p99        max",
    row(`${count(size.serialAppends)} appends of 1 event`, serialMs),
    row(`${count(batchMs.length)} appends of ${count(size.batchSize)} events`, batchMs),
    row(
      `${count(measurement.bareMs.length)} bare inserts of ${count(size.batchSize)} rows`,
      measurement.bareMs,
    ),
    row(`${count(size.queries)} queries of ${count(size.eventsAQuery)} events`, queryMs),
    "",
    `${count(size.batchedEvents)} events in batches: ${count(eventsPerSecond)} events/s ` +
      `(a bare insert of such batches, the ceiling here: ${count(bareEventsPerSecond(measurement))} events/s)`,
    "",
    ...targets.map(
      ({ name, limit, measured, unit, isMet }) =>
        `${isMet ? "met   " : "MISSED"}  ${name}: ${show(measured, unit)} (target: ${COMPARISON[unit]} ${show(limit, unit)})`,
    ),
    ...checkRatios(measurement).map(
      ({ name, limit, measured, isKept }) =>
        `${isKept ? "kept  " : "BROKEN"}  ${name} ${limit}: ${measured.toFixed(2)}`,
    ),
  ].join("\n");
}

function bareEventsPerSecond({ bareMs, size }: Measurement): number {
  return (size.batchSize / median(bareMs)) * 1000;
}

function describeEngine({ engine, capabilities }: Database) {
  const {
    postgresVersion: postgresql,
    timescaledbVersion: timescaledb = "none",
    edition = "none",
  } = capabilities;
  return { engine, postgresql, timescaledb, edition };
}

function row(name: string, values: readonly number[]): string {
  const columns = [0.5, 0.95, 0.99, 1].map((share) => duration(percentile(values, share)).padStart(11));
  return `${name.padEnd(34)}${columns.join("")}`;
}

function show(value: number, unit: Target["unit"]): string {
  return unit === "ms" ? duration(value) : `${count(value)} ${unit}`;
}

function summarise(values: readonly number[]): { p50: number; p95: number; p99: number; max: number } {
  const at = (share: number) => Math.round(percentile(values, share) * 1000) / 1000;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
