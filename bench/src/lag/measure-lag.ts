import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { median } from "@synap/cli/terminal/numbers.ts";
import { type CatalogueTypes, createSynapClient, type SynapClient } from "@synap/client";
import type { Engine, SqlSession } from "@synap/database";
import { EVENT_NUMBER_SQL } from "../load/batch-maker.ts";
import { clock, type SentBatch } from "../load/load-plan.ts";
import { prepareLoad } from "../load/start-load.ts";
import { startProduct } from "../product/start-product.ts";
import { untilProjected } from "../product/until-projected.ts";
import type { lastPositionReadModel } from "./lag.config.ts";

/** Measurements of one run. */
export interface LagRun {
  /** Milliseconds from the 2xx to the answer that first showed the event, one for each event; 0 when that was sooner. */
  readonly lags: readonly number[];
  /** Events answered 2xx that the read model never showed. */
  readonly missing: number;
  /** The time between two looks at the read model: the median, in milliseconds. */
  readonly resolutionMs: number;
  /** From sending a batch to its 2xx, in milliseconds, one for each batch. */
  readonly answers: readonly number[];
}

/** A look at the read model: when its response was there, and the position that it showed. */
interface Look {
  readonly at: number;
  readonly position: number;
}

/** 1,000 events a second, as a hundred requests of ten. */
const BATCH = { size: 10, streams: 10 };
const BATCHES_A_SECOND = 100;
const CONFIG = fileURLToPath(new URL("lag.config.ts", import.meta.url));
const LOOK_MS = 10;
const DRAIN_PATIENCE_MS = 60_000;

/**
 * Posts at a steady pace and asks every ten milliseconds how far a projection of all events is. It is given them in the order of
 * positions, so that one look shows of every event up to there whether it is visible: every event is a probe, and a look
 * costs the product one row. Positions are asked of the store afterwards.
 *
 * @param warmUp the events of so many first seconds do not count
 */
export async function measureLag(options: {
  readonly engine: Engine;
  readonly serverUrl: string | undefined;
  readonly warmUp: number;
  readonly seconds: number;
  readonly onProgress: (text: string, share: number) => void;
  readonly signal: AbortSignal;
}): Promise<LagRun> {
  const { engine, warmUp, seconds, onProgress, signal } = options;
  const serverUrl = engine === "server" ? options.serverUrl : undefined;
  onProgress("starting", 0);
  const product = await startProduct({ serverUrl, config: CONFIG, purpose: "lag", signal });
  try {
    const { apiUrl } = product;
    const pace = { kind: "by the clock" as const, batchesPerSecond: BATCHES_A_SECOND, maxInFlight: 100 };
    const plan = { apiUrl, batch: BATCH, first: 0, seconds: warmUp + seconds, pace };
    const load = await prepareLoad(plan, signal);
    const watching = watchPosition(apiUrl);
    try {
      onProgress("1,000 events/s", 0.2);
      const began = clock();
      const { tally, batches } = await load.run();
      await untilProjected(apiUrl, tally.accepted, { patienceMs: DRAIN_PATIENCE_MS, signal });
      const looks = await watching.end();
      await product.stop();
      const store = await product.openStore();
      try {
        const counted = batches.filter(({ sentAt }) => sentAt >= began + warmUp * 1000);
        return compare(counted, looks, await readPositions(store));
      } finally {
        await store.close();
      }
    } finally {
      await watching.end();
      load.kill();
    }
  } finally {
    await product.remove();
  }
}

/** Looks every ten milliseconds, the next time as soon as possible when an answer takes longer. */
function watchPosition(apiUrl: string): { end(): Promise<readonly Look[]> } {
  const synap = createSynapClient<CatalogueTypes>({ url: apiUrl, retry: { attempts: 1 } });
  const looks: Look[] = [];
  let isOver = false;
  const work = async () => {
    while (!isOver) {
      const began = performance.now();
      const position = await shownPosition(synap);
      if (position !== undefined) looks.push({ at: clock(), position });
      await sleep(Math.max(0, LOOK_MS - (performance.now() - began)));
    }
    return looks;
  };
  const working = work();
  return {
    end: () => {
      isOver = true;
      return working;
    },
  };
}

/** Undefined while there is none. */
async function shownPosition(synap: SynapClient<CatalogueTypes>): Promise<number | undefined> {
  try {
    return (await synap.readModel<typeof lastPositionReadModel>("last-position", {})).position;
  } catch {
    return undefined;
  }
}

async function readPositions(session: SqlSession): Promise<Map<number, number>> {
  const rows = await session.query<{ number: number; position: number }>(
    `SELECT ${EVENT_NUMBER_SQL} AS number, "position" FROM synap.events WHERE source = 'bench'`,
  );
  return new Map(rows.map(({ number, position }) => [number, position]));
}

function compare(
  batches: readonly SentBatch[],
  looks: readonly Look[],
  positions: ReadonlyMap<number, number>,
): LagRun {
  const lags: number[] = [];
  let missing = 0;
  for (const { number, accepted, answeredAt } of batches) {
    const indexes = accepted === "all" ? Array.from({ length: BATCH.size }, (_, index) => index) : accepted;
    for (const index of indexes) {
      const position = positions.get(number * BATCH.size + index);
      const seen = position === undefined ? undefined : firstLook(looks, position);
      if (seen === undefined) missing += 1;
      else lags.push(Math.max(0, seen.at - answeredAt));
    }
  }
  const between = looks.slice(1).map((look, index) => look.at - (looks[index]?.at ?? look.at));
  return {
    lags,
    missing,
    resolutionMs: median(between),
    answers: batches.map(({ sentAt, answeredAt }) => answeredAt - sentAt),
  };
}

/** The first look that shows this position, found by halving: positions never fall. */
function firstLook(looks: readonly Look[], position: number): Look | undefined {
  let from = 0;
  let to = looks.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((looks[middle]?.position ?? 0) >= position) to = middle;
    else from = middle + 1;
  }
  return looks[from];
}
