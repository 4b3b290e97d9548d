import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type RunningSynap, runSynap } from "@synap/cli/all-in-one/run-synap.ts";
import { loadFile } from "@synap/cli/loading/load-file.ts";
import { LoadProgressLine } from "@synap/cli/loading/load-progress.ts";
import { ProgressLine } from "@synap/cli/terminal/progress-line.ts";
import { type CatalogueTypes, createSynapClient } from "@synap/client";
import type { StoredEvent } from "@synap/types";
import { counted } from "@synap/types/internal";
import { type EarthquakeInput, readEarthquakes } from "./earthquakes.ts";
import config from "./synap.config.ts";

const EVENTS_A_REQUEST = 100;
const PATIENCE_MS = 120_000;

/** Measurements of the demo. All times in milliseconds. */
export interface DemoResult {
  /** The data set's own title. */
  readonly title: string;
  readonly eventsIn: number;
  /** Events that the API gave back when asked. */
  readonly eventsStored: number;
  /** From the first request until every event could be queried. */
  readonly tookMs: number;
  /** Time to the response of each request. */
  readonly publishMs: readonly number[];
  readonly eventsARequest: number;
  /** For each event, from the sending of its request until the store recorded it. */
  readonly endToEndMs: readonly number[];
}

/** Starts Synap on a directory with free ports, knowing the demo's event type. */
export function startDemo(directory: string, logLevel: string, signal: AbortSignal): Promise<RunningSynap> {
  return runSynap({
    dataDirectory: join(directory, "data"),
    apiPort: 0,
    workerPort: 0,
    brokerPort: 0,
    application: config,
    logLevel,
    signal,
  });
}

/** Sends the earthquakes to a running Synap, the way anybody would, and waits until each can be queried. */
export async function loadEarthquakes(
  running: RunningSynap,
  directory: string,
  signal: AbortSignal,
): Promise<DemoResult> {
  const { title, events } = readEarthquakes();
  const file = join(directory, "earthquakes.ndjson");
  writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(""));

  const progressLine = new ProgressLine();
  const progress = new LoadProgressLine(progressLine);
  const publishMs: number[] = [];
  const sentAt = new Map<string, number>();
  const from = performance.now();
  const result = await loadFile({
    file,
    url: running.apiUrl,
    backfill: true,
    token: running.token,
    batch: EVENTS_A_REQUEST,
    inFlight: 4,
    patienceMs: PATIENCE_MS,
    restart: false,
    asNew: false,
    signal,
    onProgress: (state) => progress.show(state),
    onBatch: (batch) => {
      publishMs.push(batch.ms);
      for (const line of batch.lines) sentAt.set(events[line - 1]?.aggregateId ?? "", batch.sentAt);
    },
  });
  progress.show(result, { always: true });
  progressLine.end();
  const stored = await waitForEvents(running, events, signal);
  const tookMs = performance.now() - from;
  const endToEndMs = stored.map(
    ({ aggregateId, recordedAt }) => Date.parse(recordedAt) - (sentAt.get(aggregateId) ?? Number.NaN),
  );
  return {
    title,
    eventsIn: result.counts.accepted + result.counts.duplicate,
    eventsStored: stored.length,
    tookMs,
    publishMs,
    eventsARequest: EVENTS_A_REQUEST,
    endToEndMs,
  };
}

/** Asks the API until it gives back every event that was sent. */
async function waitForEvents(
  running: RunningSynap,
  sent: readonly EarthquakeInput[],
  signal: AbortSignal,
): Promise<StoredEvent[]> {
  const synap = createSynapClient<CatalogueTypes>({ url: running.apiUrl });
  const patience = performance.now() + PATIENCE_MS;
  for (;;) {
    const stored: StoredEvent[] = [];
    const query = { type: "earthquake.recorded", pageSize: 1_000, signal };
    for await (const event of synap.query(query)) stored.push(event);
    const found = new Set(stored.map(({ aggregateId }) => aggregateId));
    const missing = sent.filter(({ aggregateId }) => !found.has(aggregateId)).length;
    if (missing === 0) return stored;
    if (performance.now() > patience)
      throw new Error(`${counted(missing, "event")} could not be queried after ${PATIENCE_MS / 1000} s.`);
    await sleep(25, undefined, { signal });
  }
}
