import { median } from "@synap/cli/terminal/numbers.ts";
import type { Engine, EventStore, LogReader } from "@synap/database";
import { createEventStore, ownRows } from "@synap/database/internal";
import { auditLog, type ReadSession } from "@synap/handlers";
import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import { type StoredEvent, seedCatalogue } from "@synap/types";
import type { BenchContext, BenchMode, Benchmark, BenchmarkResult, Figure } from "../benchmark.ts";
import { DAY_MS, EVENTS_AN_APPEND, fillLog, type LogPlan, PATTERNS } from "../filling/fill-log.ts";

/** `days` is the number of chunks too. */
const PLANS: Record<BenchMode, { readonly days: Readonly<Record<Engine, number>>; readonly rounds: number }> =
  {
    full: { days: { embedded: 100, server: 1_000 }, rounds: 100 },
    quick: { days: { embedded: 10, server: 50 }, rounds: 20 },
  };

const EVENTS_A_DAY = 100;
/** Users who own the streams in turn. */
const USERS = 10;
const USER = "user-3";
/** Events of a stream. */
const STREAM_EVENTS = 5;

const plan = (days: number): LogPlan => ({
  begins: Math.floor(Date.now() / DAY_MS - days) * DAY_MS,
  eventsADay: EVENTS_A_DAY,
  day: `
SELECT (1 + n / ${EVENTS_AN_APPEND}) * 1024 + n % ${EVENTS_AN_APPEND} AS "position", n % ${STREAM_EVENTS} + 1 AS stream_version,
       to_timestamp(($2::bigint + n * ${DAY_MS / EVENTS_A_DAY}) / 1000.0)::timestamptz(3) AS "timestamp", md5(n::text)::uuid AS id,
       stream % ${PATTERNS} + CASE WHEN n % ${STREAM_EVENTS} = 0 THEN 0 ELSE ${PATTERNS} END AS pattern,
       ('stream-' || stream) COLLATE "C" AS aggregate_id, 'user-' || stream % ${USERS} AS user_id,
       'flow-' || stream AS correlation_id
  FROM (
    SELECT n, n / ${STREAM_EVENTS} AS stream
      FROM generate_series($1::bigint * ${EVENTS_A_DAY}, ($1::bigint + 1) * ${EVENTS_A_DAY} - 1) AS n
  ) AS place
 ORDER BY n`,
});

/** The same reads for a caller who may see all, with a filter where there is one, and for the user. */
interface Question {
  readonly name: string;
  readonly all: (store: EventStore, event: StoredEvent, tables: ReadSession) => Promise<number>;
  readonly visible: (reader: LogReader, event: StoredEvent, tables: ReadSession) => Promise<number>;
}

const days = ({ timestamp }: StoredEvent) => ({
  from: new Date(Date.parse(timestamp) - DAY_MS),
  to: new Date(Date.parse(timestamp) + DAY_MS),
});
const newest = { limit: 50, order: "desc" } as const;
const nothing = { after: Number.MAX_SAFE_INTEGER, limit: 100 };

const QUESTIONS: Readonly<Record<string, Question>> = {
  "two-days": {
    name: "a user's events of two days",
    all: async (store, event) =>
      (await store.query({ ...days(event), userId: USER }, { limit: 100, order: "desc" })).events.length,
    visible: async (reader, event) =>
      (await reader.query(days(event), { limit: 100, order: "desc" })).events.length,
  },
  newest: {
    name: "a user's newest 50 events",
    all: async (store) => (await store.query({ userId: USER }, newest)).events.length,
    visible: async (reader) => (await reader.query({}, newest)).events.length,
  },
  "by-id": {
    name: "an event by id",
    all: async (store, { id }) => ((await store.getById(id)) === undefined ? 0 : 1),
    visible: async (reader, { id }) => ((await reader.getById(id)) === undefined ? 0 : 1),
  },
  stream: {
    name: "a stream of 5 events",
    all: async (store, event) => (await store.readStreamPage(event)).events.length,
    visible: async (reader, event) => (await reader.readStreamPage(event)).events.length,
  },
  "audit-log": {
    name: "the newest 50 entries of the audit log",
    all: async (_store, _event, tables) => (await auditLog(tables, newest)).length,
    visible: async (_reader, _event, tables) => (await auditLog(tables, newest)).length,
  },
  nothing: {
    name: "reading on when nothing is new",
    all: async (store) => (await store.readAll(nothing)).events.length,
    visible: async (reader) => (await reader.readAll(nothing)).events.length,
  },
};

/** Cost of reading as one user, through the views, against the same read of everything with a filter, in turns. */
export const visibility: Benchmark = {
  name: "visibility",
  title: "Reading as one user, against reading with a filter",
  async run(context): Promise<BenchmarkResult> {
    const engines: Engine[] = context.serverUrl === undefined ? ["embedded"] : ["embedded", "server"];
    const figures: Figure[] = [];
    for (const engine of engines) figures.push(...(await measureEngine(engine, context)));
    return {
      figures,
      skipped: context.serverUrl === undefined ? ["On a server: DATABASE_URL names none."] : [],
    };
  },
};

async function measureEngine(
  engine: Engine,
  { mode, serverUrl, signal, onProgress }: BenchContext,
): Promise<Figure[]> {
  const { days: sizes, rounds } = PLANS[mode];
  const size = sizes[engine];
  const { database, remove } = await createTemporaryDatabase(
    engine === "server" ? serverUrl : undefined,
    "visibility",
  );
  try {
    const onFilled = (share: number) => onProgress(`${engine}: ${size} days`, share * 0.7);
    await fillLog(database, plan(size), { from: 0, to: size }, onFilled, signal);
    const store = createEventStore({ database, catalogue: seedCatalogue });
    const reader = store.visibleTo({ userId: USER });
    const ownTables = ownRows(database, { userId: USER });
    const { events } = await store.query({ userId: USER }, { limit: 1_000, order: "asc" });
    const figures: Figure[] = [];
    for (const [key, question] of Object.entries(QUESTIONS)) {
      onProgress(`${engine}: ${question.name}`, 0.7 + (0.3 * figures.length) / Object.keys(QUESTIONS).length);
      const times = await ask(
        question,
        { store, reader, allTables: database, ownTables, events, rounds },
        signal,
      );
      const ratios = fifths(times).map((part) => ratioOf(part));
      figures.push({
        id: `visibility.${engine}.${key}.ratio`,
        name: `${question.name} as the user, against reading with a filter, ${size} chunks`,
        engine,
        value: ratioOf(times),
        unit: "ratio",
        better: "lower",
        samples: ratios,
        note: `${median(times.map(({ visible }) => visible)).toFixed(1)} ms against ${median(times.map(({ all }) => all)).toFixed(1)} ms (medians)`,
      });
    }
    return figures;
  } finally {
    await remove();
  }
}

interface Times {
  readonly all: number;
  readonly visible: number;
}

async function ask(
  question: Question,
  world: {
    readonly store: EventStore;
    readonly reader: LogReader;
    readonly allTables: ReadSession;
    readonly ownTables: ReadSession;
    readonly events: readonly StoredEvent[];
    readonly rounds: number;
  },
  signal: AbortSignal,
): Promise<Times[]> {
  const times: Times[] = [];
  const warmUp = Math.ceil(world.rounds / 5);
  for (let round = 0; round < warmUp + world.rounds; round += 1) {
    signal.throwIfAborted();
    const event = world.events[(round * 37) % world.events.length];
    if (event === undefined) throw new Error("The user has no events.");
    const all = await timed(() => question.all(world.store, event, world.allTables));
    const visible = await timed(() => question.visible(world.reader, event, world.ownTables));
    if (all.found !== visible.found)
      throw new Error(`${visible.found} events as the user, not ${all.found}.`);
    if (round >= warmUp) times.push({ all: all.ms, visible: visible.ms });
  }
  return times;
}

async function timed(work: () => Promise<number>): Promise<{ readonly ms: number; readonly found: number }> {
  const start = performance.now();
  const found = await work();
  return { ms: performance.now() - start, found };
}

function ratioOf(times: readonly Times[]): number {
  return median(times.map(({ visible }) => visible)) / median(times.map(({ all }) => all));
}

function fifths(times: readonly Times[]): Times[][] {
  const length = Math.ceil(times.length / 5);
  return Array.from({ length: 5 }, (_, part) => times.slice(part * length, (part + 1) * length));
}
