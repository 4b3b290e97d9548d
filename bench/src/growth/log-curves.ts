import { median } from "@synap/cli/terminal/numbers.ts";
import type { EventStore } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import { seedCatalogue } from "@synap/types";
import { appendAll } from "../append/append-all.ts";
import { makeEvents } from "../events/make-events.ts";
import { type Curve, type CurveContext, duration, type Measurement, measureCurve, repeat } from "./curve.ts";
import { FILLED_LANE, fillShape, type LogShape } from "./filled-log.ts";

interface LogCurvesPlan {
  /** Shape of the log where another quantity grows. */
  readonly shape: LogShape;
  readonly events: readonly number[];
  readonly chunks: readonly number[];
  readonly streams: readonly number[];
}

const PLANS: Record<CurveContext["mode"], LogCurvesPlan> = {
  full: {
    shape: { events: 1_000_000, chunks: 100, streams: 100_000 },
    events: [0, 1_000_000, 10_000_000],
    chunks: [10, 1_000, 5_000],
    streams: [1, 100, 10_000, 1_000_000],
  },
  quick: {
    shape: { events: 10_000, chunks: 10, streams: 1_000 },
    events: [0, 10_000],
    chunks: [10, 50],
    streams: [1, 1_000],
  },
};

const BATCH_SIZE = 1_000;
/** Batches of one sample. */
const BATCHES = 2;
/** Reads of one sample, which is their median. */
const READS = 10;

/** Events of a page of a stream. */
const BRIEF = 10;

/** Appends and reads against the events, the chunks and the streams of the log. */
export async function logCurves(context: CurveContext): Promise<Curve[]> {
  const { shape, events, chunks, streams } = PLANS[context.mode];
  const part = (number: number, onProgress = context.onProgress): CurveContext => ({
    ...context,
    onProgress: (text, share) => onProgress(text, (number + share) / 3),
  });
  return [
    await measureCurve({ id: "events", quantity: "events in the log" }, events, part(0), (count) =>
      measureLog({ ...shape, events: count, streams: count / 10 }, context, "new streams"),
    ),
    await measureCurve({ id: "chunks", quantity: "chunks" }, chunks, part(1), (count) =>
      measureLog({ ...shape, chunks: count }, context, "new streams"),
    ),
    await measureCurve({ id: "streams", quantity: "streams" }, streams, part(2), (count) =>
      measureLog({ ...shape, streams: count }, context, "its streams"),
    ),
  ];
}

/** Fills a log of a shape, reads it, and appends to it: to new streams or to its own. */
async function measureLog(
  shape: LogShape,
  { serverUrl, rounds, signal }: CurveContext,
  appendsTo: "new streams" | "its streams",
): Promise<Measurement[]> {
  const { database, remove } = await createTemporaryDatabase(serverUrl, "growth");
  try {
    if (shape.events > 0) await fillShape(database, shape, () => {}, signal);
    const store = createEventStore({ database, catalogue: seedCatalogue });
    const reads = shape.events > 0 ? await measureReads(store, shape, rounds, signal) : [];
    let made = 0;
    const batches = await repeat(rounds + 1, signal, async () => {
      const work = Array.from({ length: BATCHES }, () => {
        const events = makeEvents({
          count: BATCH_SIZE,
          ...(appendsTo === "its streams"
            ? { streams: shape.streams, lane: FILLED_LANE, first: shape.events + made }
            : { streams: 100, lane: "growth", first: made }),
        });
        made += BATCH_SIZE;
        return events;
      });
      const took = await duration(async () => {
        for (const events of work) await appendAll(store, events);
      });
      return (BATCHES * BATCH_SIZE * 1_000) / took;
    });
    return [
      ...reads,
      { id: "batches", name: "appending batches of 1,000", unit: "events/s", samples: batches.slice(1) },
    ];
  } finally {
    await remove();
  }
}

async function measureReads(
  store: EventStore,
  { events, streams }: LogShape,
  rounds: number,
  signal: AbortSignal,
): Promise<Measurement[]> {
  // Spread over the log, and the same in each run.
  let reads = 0;
  const share = () => {
    reads += 1;
    return (reads * 0.618_033_988_75) % 1;
  };
  const readNext = async () => {
    const after = Math.floor((share() * (events - 2 * BATCH_SIZE)) / 100) * 1_024 + 1_023;
    const { events: found } = await store.readAll({ after, limit: BATCH_SIZE });
    if (found.length !== BATCH_SIZE) throw new Error(`A page held ${found.length} events.`);
    return found;
  };
  const someEvents = await readNext();
  const readBrief = async () => {
    const [like] = makeEvents({ count: 1, streams: "new", first: Math.floor(share() * streams) });
    const aggregateId = like?.aggregateId.replace(/^bench/, FILLED_LANE) ?? "";
    const stream = { aggregateType: like?.aggregateType ?? "", aggregateId };
    const { events: found } = await store.readStreamPage(stream, { toVersion: BRIEF });
    if (found.length !== Math.min(BRIEF, events / streams)) {
      throw new Error(`A page of a stream held ${found.length} events.`);
    }
  };
  const readById = async () => {
    const event = someEvents[Math.floor(share() * someEvents.length)];
    if ((await store.getById(event?.id ?? ""))?.id !== event?.id) throw new Error("An event is missing.");
  };
  const sampled = (read: () => Promise<unknown>) =>
    repeat(rounds, signal, async () => median(await repeat(READS, signal, () => duration(read))));
  // Each connection reads the catalogue of each chunk that it meets once.
  for (let index = 0; index < 5 * READS; index += 1) await readNext();
  return [
    { id: "next", name: "reading on by 1,000 events", unit: "ms", samples: await sampled(readNext) },
    {
      id: "stream",
      name: `first ${BRIEF} events of a stream`,
      unit: "ms",
      samples: await sampled(readBrief),
    },
    { id: "by-id", name: "an event by its id", unit: "ms", samples: await sampled(readById) },
  ];
}
