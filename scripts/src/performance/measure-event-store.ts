import type { Database, EventStore } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import { allowBareInserts, insertBare, makeRows } from "./bare-insert.ts";

/** Size of the measurement. */
export interface MeasurementSize {
  readonly serialAppends: number;
  readonly batchedEvents: number;
  readonly batchSize: number;
  readonly queries: number;
  /** About how many events lie in the time range of a query. */
  readonly eventsAQuery: number;
}

/** Results of the measurement. All times in milliseconds, one entry for each call. */
export interface Measurement {
  readonly size: MeasurementSize;
  readonly serialMs: readonly number[];
  readonly batchMs: readonly number[];
  /** All batches, one after the other, on one connection. */
  readonly eventsPerSecond: number;
  readonly queryMs: readonly number[];
  /** The fewest and the most events that a query gave back. */
  readonly queryEvents: readonly [least: number, most: number];
  /** Batches of the same size, inserted into the same table by one statement each, with nothing of an event store. */
  readonly bareMs: readonly number[];
  /** Events in the store at the end, as the store counts them. */
  readonly stored: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** The events lie in the last six days: as many chunks of one day as the live window allows. */
const SPAN_MS = 6 * DAY_MS;
/** Streams that the events belong to. */
const STREAMS = 1_000;
/** Bare inserts that the appends are compared with. */
const BARE_BATCHES = 30;

/** Runs the three measurements on an empty, migrated database and reports progress. */
export async function measureEventStore(
  database: Database,
  size: MeasurementSize,
  onStep: (text: string, share: number) => void,
): Promise<Measurement> {
  const store = createEventStore({ database, catalogue: seedCatalogue });
  const end = Date.now();
  const from = end - SPAN_MS;

  const serialMs: number[] = [];
  for (let index = 0; index < size.serialAppends; index++) {
    const event = makeEvent(index, from + (SPAN_MS * index) / size.serialAppends);
    serialMs.push(await timed(() => appendAll(store, [event])));
    onStep("serial appends", (index + 1) / size.serialAppends);
  }

  const batchMs: number[] = [];
  for (let done = 0; done < size.batchedEvents; ) {
    const count = Math.min(size.batchSize, size.batchedEvents - done);
    const events = Array.from({ length: count }, (_, place) => {
      const index = done + place;
      return makeEvent(index, from + (SPAN_MS * index) / size.batchedEvents);
    });
    batchMs.push(await timed(() => appendAll(store, events)));
    done += count;
    onStep("batched appends", done / size.batchedEvents);
  }
  const eventsPerSecond = (size.batchedEvents / batchMs.reduce((sum, ms) => sum + ms, 0)) * 1000;

  const width = (SPAN_MS * size.eventsAQuery) / (size.batchedEvents + size.serialAppends);
  const queryMs: number[] = [];
  const counts: number[] = [];
  for (let index = 0; index < size.queries; index++) {
    // Spread evenly and out of order, so that neighbours in time are not neighbours in the run.
    const start = from + ((index * 0.618034) % 1) * (SPAN_MS - width);
    const filter = { from: new Date(start), to: new Date(start + width) };
    let count = 0;
    queryMs.push(
      await timed(async () => {
        const page = await store.query(filter, { limit: size.eventsAQuery, order: "asc" });
        count = page.events.length;
      }),
    );
    counts.push(count);
    onStep("time-range queries", (index + 1) / size.queries);
  }
  const [row] = await database.query<{ stored: number }>("SELECT count(*) AS stored FROM synap.events");
  const bareMs = await measureBareInserts(database, size, from, (share) => onStep("bare inserts", share));
  return {
    size,
    serialMs,
    batchMs,
    eventsPerSecond,
    queryMs,
    bareMs,
    queryEvents: [Math.min(...counts), Math.max(...counts)],
    stored: row?.stored ?? 0,
  };
}

/** After everything else, because these rows are no events: they have no identity and no stream. */
async function measureBareInserts(
  database: Database,
  { batchSize }: MeasurementSize,
  from: number,
  onStep: (share: number) => void,
): Promise<number[]> {
  await allowBareInserts(database);
  const times: number[] = [];
  for (let batch = 0; batch < BARE_BATCHES; batch += 1) {
    const events = Array.from({ length: batchSize }, (_, index) =>
      makeEvent(index, from + (SPAN_MS * (batch + index / batchSize)) / BARE_BATCHES),
    );
    const rows = await makeRows(database, events);
    times.push(await timed(() => insertBare(database, rows)));
    onStep((batch + 1) / BARE_BATCHES);
  }
  return times;
}

function makeEvent(index: number, timestamp: number): SynapEvent {
  return createSynapEvent({
    type: "note.creation.requested",
    aggregateId: `note-${index % STREAMS}`,
    timestamp: new Date(timestamp).toISOString(),
    userId: `user-${index % 100}`,
    source: "performance",
    data: {
      title: `Note ${index}`,
      content: "A note of ordinary length, such as somebody jots down between two calls.",
    },
  });
}

async function appendAll(store: EventStore, events: SynapEvent[]): Promise<void> {
  for (const outcome of await store.appendBatch(events)) {
    if (outcome.status !== "stored") throw new Error(`An event was not stored: ${JSON.stringify(outcome)}`);
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}
