import { setTimeout as sleep } from "node:timers/promises";
import { median } from "@synap/cli/terminal/numbers.ts";
import { createEventStore, ReadLimiter } from "@synap/database/internal";
import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import {
  createSynap,
  defineConfig,
  defineEventType,
  defineProjection,
  keyText,
  readTable,
} from "@synap/synap";
import { seedCatalogue } from "@synap/types";
import { doublePrecision } from "drizzle-orm/pg-core";
import { z } from "zod";
import { appendAll } from "../append/append-all.ts";
import { makeEvents } from "../events/make-events.ts";
import { appendConcurrently } from "./append-concurrently.ts";
import { type Curve, type CurveContext, type Measurement, measureCurve, repeat } from "./curve.ts";

interface ReaderCurvesPlan {
  readonly projections: readonly number[];
  /** Events that the projections of one sample handle. */
  readonly events: number;
  readonly subscribers: readonly number[];
  /** Single events, appended by 16 callers, that the subscribers of one sample receive. */
  readonly singles: number;
}

const PLANS: Record<CurveContext["mode"], ReaderCurvesPlan> = {
  full: { projections: [0, 1, 5, 10, 20], events: 10_000, subscribers: [0, 1, 10, 50, 200], singles: 1_000 },
  quick: { projections: [0, 2], events: 1_000, subscribers: [0, 5], singles: 100 },
};

const BATCH_SIZE = 1_000;
const CALLERS = 16;
const LOOK_MS = 5;
/** As the API reads for its live tails. */
const READS_AT_ONCE = 2;

/** The pipeline behind the log against the number of projections, and appends against that of subscribers. */
export async function readerCurves(context: CurveContext): Promise<Curve[]> {
  const { projections, subscribers } = PLANS[context.mode];
  const half = (number: number): CurveContext => ({
    ...context,
    onProgress: (text, share) => context.onProgress(text, (number + share) / 2),
  });
  return [
    await measureCurve({ id: "projections", quantity: "projections" }, projections, half(0), (count) =>
      measureProjections(count, context),
    ),
    await measureCurve({ id: "subscribers", quantity: "subscribers" }, subscribers, half(1), (count) =>
      measureSubscribers(count, context),
    ),
  ];
}

const orderPlaced = defineEventType({
  name: "order.placed",
  description: "A customer placed an order.",
  schema: z.strictObject({ customer: z.string(), total: z.number() }),
  example: { customer: "customer-1", total: 12.5 },
});

/** An asynchronous projection that adds up what each of a hundred customers has ordered. */
function makeRevenue(number: number) {
  const table = readTable(`revenue_${number}`, {
    customer: keyText("customer").primaryKey(),
    total: doublePrecision("total").notNull(),
  });
  return defineProjection({
    name: `revenue-${number}`,
    version: 1,
    description: "Adds up what each customer has ordered.",
    events: [orderPlaced],
    mode: "async",
    table,
    key: (event) => event.data.customer,
    evolve: (row, { data }) => ({ customer: data.customer, total: (row?.total ?? 0) + data.total }),
  });
}

/** Rate from the first append until the events are stored and every projection has passed them. */
async function measureProjections(
  count: number,
  { mode, serverUrl, rounds, signal }: CurveContext,
): Promise<Measurement[]> {
  const { events } = PLANS[mode];
  const projections = Array.from({ length: count }, (_, index) => makeRevenue(index + 1));
  const config = defineConfig({ eventTypes: [orderPlaced], projections });
  const { database, remove } = await createTemporaryDatabase(serverUrl, "growth");
  try {
    const synap = await createSynap(config, { database, runHandlers: true });
    try {
      const isHandled = async (position: number) => {
        const status = await synap.projections.status();
        return status.every(
          ({ builds }) => builds.length > 0 && builds.every(({ checkpoint }) => checkpoint >= position),
        );
      };
      const until = async (position: number) => {
        while (!(await isHandled(position))) {
          signal.throwIfAborted();
          await sleep(LOOK_MS);
        }
      };
      await until(0);
      const store = createEventStore({ database, catalogue: config.catalogue });
      const samples = await repeat(rounds + 1, signal, async (round) => {
        const batches = Array.from({ length: events / BATCH_SIZE }, (_, batch) =>
          Array.from({ length: BATCH_SIZE }, (_, place) =>
            config.catalogue.createSynapEvent({
              type: "order.placed",
              aggregateId: `${round}-${batch}-${place % 100}`,
              data: { customer: `customer-${place % 100}`, total: place },
            }),
          ),
        );
        const from = performance.now();
        let last = 0;
        for (const batch of batches) {
          for (const outcome of await appendAll(store, batch)) {
            if (outcome.status === "stored") last = outcome.position;
          }
        }
        await until(last);
        return (events * 1_000) / (performance.now() - from);
      });
      return [{ id: "handled", name: "stored and projected", unit: "events/s", samples: samples.slice(1) }];
    } finally {
      await synap.close();
    }
  } finally {
    await remove();
  }
}

/** Rate of single appends while so many subscribers follow the log, and the time from the append to each of them. */
async function measureSubscribers(
  count: number,
  { mode, serverUrl, rounds, signal }: CurveContext,
): Promise<Measurement[]> {
  const { singles } = PLANS[mode];
  const { database, remove } = await createTemporaryDatabase(serverUrl, "growth");
  const end = new AbortController();
  try {
    const store = createEventStore({ database, catalogue: seedCatalogue });
    const readLimiter = new ReadLimiter(READS_AT_ONCE);
    let received = 0;
    let delays: number[] = [];
    const following = Array.from({ length: count }, async () => {
      for await (const { events } of store.subscribeToAll({
        from: "start",
        readLimiter,
        signal: end.signal,
      })) {
        const now = Date.now();
        received += events.length;
        for (const { recordedAt } of events) delays.push(now - Date.parse(recordedAt));
      }
    });
    const rates: number[] = [];
    const waits: number[] = [];
    await repeat(rounds + 1, signal, async (round) => {
      received = 0;
      delays = [];
      const lane = `subscribed-${round}`;
      const events = makeEvents({ count: singles, streams: "new", lane });
      rates.push(await appendConcurrently(store, events, CALLERS));
      while (received < singles * count) {
        signal.throwIfAborted();
        await sleep(LOOK_MS);
      }
      if (count > 0) waits.push(median(delays));
      return 0;
    });
    end.abort();
    await Promise.all(following);
    return [
      {
        id: "singles",
        name: `appending single events, ${CALLERS} callers`,
        unit: "events/s",
        samples: rates.slice(1),
      },
      ...(count === 0
        ? []
        : [
            {
              id: "delay",
              name: "from the append to a subscriber",
              unit: "ms" as const,
              samples: waits.slice(1),
            },
          ]),
    ];
  } finally {
    end.abort();
    await remove();
  }
}
