import type { Database } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import { createEventCatalogue, defineEventType, seedCatalogue } from "@synap/types";
import { z } from "zod";
import { appendAll } from "../append/append-all.ts";
import { makeEvents } from "../events/make-events.ts";
import { words } from "../events/words.ts";
import { appendConcurrently } from "./append-concurrently.ts";
import { type Curve, type CurveContext, duration, type Measurement, measureCurve, repeat } from "./curve.ts";

interface AppendCurvesPlan {
  readonly callers: readonly number[];
  /** Single events of one sample. */
  readonly singles: number;
  readonly bytes: readonly number[];
  /** Bytes of data in one sample. */
  readonly volume: number;
}

const PLANS: Record<CurveContext["mode"], AppendCurvesPlan> = {
  full: {
    callers: [1, 4, 16, 64, 256],
    singles: 2_000,
    bytes: [200, 2_000, 20_000],
    volume: 8_000_000,
  },
  quick: { callers: [1, 16], singles: 200, bytes: [200, 2_000], volume: 400_000 },
};

/** Events of a batch that differ in size. */
const BATCH_SIZE = 100;

/** Appends against the number of callers and against the size of the events. */
export async function appendCurves(context: CurveContext): Promise<Curve[]> {
  const { callers, singles, bytes, volume } = PLANS[context.mode];
  const { rounds, signal, onProgress } = context;
  const { database, remove } = await createTemporaryDatabase(context.serverUrl, "growth");
  try {
    const half = (number: number): CurveContext => ({
      ...context,
      onProgress: (text, share) => onProgress(text, (number + share) / 2),
    });
    const store = createEventStore({ database, catalogue: seedCatalogue });
    return [
      await measureCurve({ id: "callers", quantity: "callers" }, callers, half(0), async (count) => {
        const samples = await repeat(rounds + 1, signal, async (round) => {
          const lane = `callers-${count}-${round}`;
          return appendConcurrently(store, makeEvents({ count: singles, streams: "new", lane }), count);
        });
        return [
          {
            id: "singles",
            name: "appending single events to new streams",
            unit: "events/s",
            samples: samples.slice(1),
          },
        ];
      }),
      await measureCurve({ id: "bytes", quantity: "bytes of data in an event" }, bytes, half(1), (size) =>
        measureSize(database, size, volume, context),
      ),
    ];
  } finally {
    await remove();
  }
}

const measured = defineEventType({
  name: "sample.measured",
  description: "A text of some size.",
  schema: z.strictObject({ text: z.string() }),
  example: { text: "short" },
});
const catalogue = createEventCatalogue([measured]);

async function measureSize(
  database: Database,
  bytes: number,
  volume: number,
  { rounds, signal }: CurveContext,
): Promise<Measurement[]> {
  const store = createEventStore({ database, catalogue });
  const around = JSON.stringify({ text: "" }).length;
  const batches = Math.max(1, Math.round(volume / bytes / BATCH_SIZE));
  const samples = await repeat(rounds + 1, signal, async (round) => {
    const work = Array.from({ length: batches }, (_, batch) =>
      Array.from({ length: BATCH_SIZE }, (_, place) =>
        catalogue.createSynapEvent({
          type: "sample.measured",
          aggregateId: `${bytes}-${round}-${batch}-${place}`,
          data: { text: words(batch * BATCH_SIZE + place, bytes - around) },
        }),
      ),
    );
    const took = await duration(async () => {
      for (const events of work) await appendAll(store, events);
    });
    return (batches * BATCH_SIZE * 1_000) / took;
  });
  return [{ id: "batches", name: "appending batches of 100", unit: "events/s", samples: samples.slice(1) }];
}
