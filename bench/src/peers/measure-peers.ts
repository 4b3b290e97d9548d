import type { SynapEvent } from "@synap/types";
import { withCallers } from "../append/with-callers.ts";
import { makeEvents } from "../events/make-events.ts";
import type { Competitor } from "./competitor.ts";

/** Amount of work in a run. */
export interface PeersPlan {
  /** Measured rounds; one more before them is not counted. */
  readonly rounds: number;
  /** Calls of 1,000 events to one stream, in a round. */
  readonly batches: number;
  /** Events in a round of a row in which each goes to a separate stream; eight for each caller where that is more. */
  readonly singles: number;
  /** Readings of a stream of 1,000, in a round. */
  readonly readings: number;
}

/** Rows in which each event goes to a separate stream, by the number of callers that append at the same time. */
export const CALLERS = { single: 1, concurrent: 10, callers64: 64, callers256: 256 } as const;
export type CallersRow = keyof typeof CALLERS;

/** Rows of the comparison, in this order. */
export const ROWS = ["batch", "single", "concurrent", "callers64", "callers256", "read"] as const;
export type Row = (typeof ROWS)[number];

/** Events a second: by row, by competitor, one for each round. */
export type Rates = Readonly<Record<Row, ReadonlyMap<Competitor, readonly number[]>>>;

export const BATCH_SIZE = 1_000;
/** Streams that are there to be read. */
const READABLE = 5;

/**
 * Lets each competitor do the same with the same events, one after the other; who begins changes with every round.
 * Afterwards each must hold exactly the events that it was given.
 *
 * @throws Error when one of them stored or read anything else than what it was given
 */
export async function measurePeers(
  competitors: readonly Competitor[],
  plan: PeersPlan,
  onRound: (done: number) => void,
  signal: AbortSignal,
): Promise<Rates> {
  const given: SynapEvent[] = [];
  const give = (events: SynapEvent[]) => {
    given.push(...events);
    return events;
  };
  const readable = Array.from({ length: READABLE }, (_, index) =>
    give(makeEvents({ count: BATCH_SIZE, streams: 1, lane: `read-${index}` })),
  );
  for (const competitor of competitors) {
    for (const events of readable) await competitor.append(events);
  }

  const rates = {
    batch: new Map(),
    single: new Map(),
    concurrent: new Map(),
    callers64: new Map(),
    callers256: new Map(),
    read: new Map(),
  } satisfies Record<Row, Map<Competitor, number[]>>;
  for (let round = 0; round <= plan.rounds; round += 1) {
    const work = planRound(plan, round, readable, give);
    for (const row of ROWS) {
      for (const competitor of rotate(competitors, round)) {
        signal.throwIfAborted();
        const rate = await work[row](competitor);
        const samples: number[] = rates[row].get(competitor) ?? [];
        if (round > 0) rates[row].set(competitor, [...samples, rate]);
      }
    }
    onRound(round / plan.rounds);
  }
  for (const competitor of competitors) {
    expectSame(competitor, "stored", (await competitor.storedIds()).sort(), idsOf(given).sort());
  }
  return rates;
}

/** The work of one round, with new events. Each returns events a second. */
function planRound(
  plan: PeersPlan,
  round: number,
  readable: readonly SynapEvent[][],
  give: (events: SynapEvent[]) => SynapEvent[],
): Record<Row, (competitor: Competitor) => Promise<number>> {
  const batches = Array.from({ length: plan.batches }, (_, index) =>
    give(makeEvents({ count: BATCH_SIZE, streams: 1, first: index * BATCH_SIZE, lane: `batch-${round}` })),
  );
  const appendingAtOnce = (row: CallersRow) => {
    const callers = CALLERS[row];
    const count = Math.max(plan.singles, 8 * callers);
    const events = give(makeEvents({ count, streams: "new", lane: `${row}-${round}` }));
    return (competitor: Competitor) =>
      rateOf(count, () => withCallers(callers, events, (event) => competitor.append([event])));
  };
  return {
    batch: (competitor) =>
      rateOf(plan.batches * BATCH_SIZE, async () => {
        for (const events of batches) await competitor.append(events);
      }),
    single: appendingAtOnce("single"),
    concurrent: appendingAtOnce("concurrent"),
    callers64: appendingAtOnce("callers64"),
    callers256: appendingAtOnce("callers256"),
    read: async (competitor) => {
      const found: (() => string[])[] = [];
      const rate = await rateOf(plan.readings * BATCH_SIZE, async () => {
        for (let index = 0; index < plan.readings; index += 1) {
          const example = readable[index % READABLE]?.[0];
          if (example !== undefined) found.push(await competitor.read(example));
        }
      });
      for (const [index, ids] of found.entries()) {
        expectSame(competitor, "read", ids(), idsOf(readable[index % READABLE] ?? []));
      }
      return rate;
    },
  };
}

async function rateOf(events: number, work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (events / (performance.now() - start)) * 1_000;
}

function rotate<T>(items: readonly T[], by: number): T[] {
  const first = by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

function idsOf(events: readonly SynapEvent[]): string[] {
  return events.map(({ id }) => id);
}

function expectSame(
  { name }: Competitor,
  deed: string,
  found: readonly string[],
  wanted: readonly string[],
): void {
  const wrong = found.findIndex((id, index) => id !== wanted[index]);
  if (found.length === wanted.length && wrong < 0) return;
  throw new Error(
    `${name} ${deed} ${found.length} events where ${wanted.length} were given; the first difference is at ${wrong}.`,
  );
}
