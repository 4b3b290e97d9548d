import { median } from "@synap/cli/terminal/numbers.ts";
import type { Engine, EventStore } from "@synap/database";
import {
  createEventStore,
  createPersonalData,
  createSubjectKeys,
  type PersonalData,
  passingKeys,
} from "@synap/database/internal";
import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import type { StoredEvent, SynapEvent } from "@synap/types";
import { appendAll } from "../append/append-all.ts";
import { BATCH_SIZE } from "../append/measure-append.ts";
import type { BenchContext, BenchMode, Benchmark, BenchmarkResult, Figure } from "../benchmark.ts";
import { storedTypes } from "./stored-types.ts";

const ROUNDS: Readonly<Record<BenchMode, number>> = { full: 40, quick: 12 };
/** Rounds that don't count. */
const WARM_UP = 4;
const SUBJECTS = 100;

/** Forms in which the same order is stored. */
const FORMS = {
  plain: { type: "measured.plain", version: 1 },
  current: { type: "measured.grown", version: 4 },
  "one-step": { type: "measured.grown", version: 3 },
  "three-steps": { type: "measured.grown", version: 1 },
  personal: { type: "measured.personal", version: 1 },
} as const;
type Form = keyof typeof FORMS;
const forms: readonly Form[] = ["plain", "current", "one-step", "three-steps", "personal"];

/** Milliseconds for a batch: to append it, to read its page, and then to make of the page what a handler gets. */
interface Times {
  readonly append: number;
  readonly read: number;
  readonly prepare: number;
}
type Round = ReadonlyMap<Form, Times>;

/** Cost of earlier versions and of personal fields, in appends and in a replay. */
export const storedForms: Benchmark = {
  name: "stored-forms",
  title: "Earlier versions and personal fields",
  async run(context): Promise<BenchmarkResult> {
    const engines: Engine[] = context.serverUrl === undefined ? ["embedded"] : ["embedded", "server"];
    const figures: Figure[] = [];
    for (const [index, engine] of engines.entries()) {
      const onRound = (share: number) => context.onProgress(engine, (index + share) / engines.length);
      figures.push(...figuresOf(engine, await measure(engine, context, onRound)));
    }
    return { figures, skipped: context.serverUrl === undefined ? ["On a server: there is none."] : [] };
  },
};

async function measure(
  engine: Engine,
  { mode, serverUrl, signal }: BenchContext,
  onRound: (share: number) => void,
): Promise<Round[]> {
  const { database, remove } = await createTemporaryDatabase(
    engine === "server" ? serverUrl : undefined,
    "stored_forms",
  );
  try {
    const keys = createSubjectKeys({ database, provider: passingKeys() });
    const personalData = createPersonalData(storedTypes, keys);
    const store = createEventStore({ database, catalogue: storedTypes, personalData });
    const rounds: Round[] = [];
    for (let round = -WARM_UP; round < ROUNDS[mode]; round += 1) {
      signal.throwIfAborted();
      // Whoever goes first meets another state of caches, so each form begins a round in its turn.
      const begin = (round + WARM_UP) % forms.length;
      const times = new Map<Form, Times>();
      for (const form of [...forms.slice(begin), ...forms.slice(0, begin)])
        times.set(form, await timesOf(store, personalData, makeOrders(form)));
      if (round >= 0) rounds.push(times);
      onRound((round + WARM_UP + 1) / (ROUNDS[mode] + WARM_UP));
    }
    return rounds;
  } finally {
    await remove();
  }
}

async function timesOf(
  store: EventStore,
  personalData: PersonalData,
  events: readonly SynapEvent[],
): Promise<Times> {
  const [append, outcomes] = await timed(() => appendAll(store, events));
  const first = Math.min(...outcomes.map((outcome) => (outcome.status === "stored" ? outcome.position : 0)));
  const [read, page] = await timed(() => store.readAll({ after: first - 1, limit: BATCH_SIZE }));
  if (page.events.length !== events.length) throw new Error("The page does not have what was appended.");
  const [prepare] = await timed(async () => {
    const opened = await personalData.open(page.events);
    return opened.map((event): StoredEvent => storedTypes.upcast(event));
  });
  return { append, read, prepare };
}

async function timed<Result>(work: () => Promise<Result>): Promise<[ms: number, result: Result]> {
  const start = performance.now();
  const result = await work();
  return [performance.now() - start, result];
}

function makeOrders(form: Form): SynapEvent[] {
  const { type, version } = FORMS[form];
  return Array.from({ length: BATCH_SIZE }, (_, index) => {
    const lines = Array.from({ length: 3 }, (_, at) => ({
      sku: `sku-${index}-${at}`,
      pieces: at + 1,
      cents: 1250,
    }));
    const written = {
      customer: `Customer ${index}`,
      city: `City ${index % 90}`,
      note: "Ring twice, then wait.",
      lines,
    };
    const later = {
      ...(version >= 2 ? { currency: "EUR" } : {}),
      ...(version >= 3 ? { total: 7500 } : {}),
      ...(version >= 4 ? { isGift: false } : {}),
    };
    return storedTypes.completeEvent({
      type,
      schemaVersion: version,
      aggregateId: `order-${index % SUBJECTS}`,
      userId: `user-${index % SUBJECTS}`,
      data: { ...written, ...later },
    });
  });
}

const NAMES: readonly (readonly [form: Exclude<Form, "plain">, name: string])[] = [
  ["current", "events of the current of four versions"],
  ["one-step", "events one version back"],
  ["three-steps", "events three versions back"],
  ["personal", "events with two personal fields"],
];

function figuresOf(engine: Engine, rounds: readonly Round[]): Figure[] {
  const samples = (form: Form, what: keyof Times) =>
    rounds.map((round) => round.get(form)?.[what] ?? Number.NaN);
  const base = { engine, better: "lower" } as const;
  const prepared = NAMES.map(
    ([form, name]): Figure => ({
      ...base,
      id: `stored-forms.${engine}.prepare.${form}`,
      name: `making of ${name} what a handler gets`,
      value: (median(samples(form, "prepare")) / BATCH_SIZE) * 1_000,
      unit: "µs/event",
      samples: samples(form, "prepare").map((ms) => (ms / BATCH_SIZE) * 1_000),
      note: `Beside reading the page, which takes ${((median(samples(form, "read")) / BATCH_SIZE) * 1_000).toFixed(1)} µs an event.`,
    }),
  );
  const shares = NAMES.flatMap(([form, name]): Figure[] =>
    (["append", "read"] as const).map((what) => {
      const ratios = rounds.map((round) => whole(round.get(form), what) / whole(round.get("plain"), what));
      return {
        ...base,
        id: `stored-forms.${engine}.${what}.${form}`,
        name: `${what === "append" ? "appending" : "replaying"} ${name}, against those of a type with one version`,
        value: median(ratios),
        unit: "ratio",
        samples: ratios,
      };
    }),
  );
  return [...prepared, ...shares];
}

/** A replay reads, and prepares what it has read. */
function whole(times: Times | undefined, what: "append" | "read"): number {
  if (times === undefined) return Number.NaN;
  return what === "append" ? times.append : times.read + times.prepare;
}
