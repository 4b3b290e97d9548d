import { median } from "@synap/cli/terminal/numbers.ts";
import type { Database, Engine } from "@synap/database";
import { createKeyToken, findApiKey, listApiKeys, revokeApiKey } from "@synap/database/internal";
import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import type { BenchContext, Benchmark, BenchmarkResult, Figure } from "../benchmark.ts";

const FEW = 1_000;
const MANY = { full: 1_000_000, quick: 50_000 };
const ROUNDS = { full: 100, quick: 40 };
/** One of a million keys takes a thousand pages. */
const LISTS = { full: 1, quick: 2 };

/** Ids that spread like those of real keys, which are random. */
const idOf = (parameter: string) => `left(md5(${parameter}::text), 12)`;
const INSERT = `
INSERT INTO synap.api_keys (id, secret_hash, name, kind, principal_id, scopes, created_at)
SELECT ${idOf("n")}, md5(n::text) || md5((-n)::text), 'key ' || n, 'user', 'user-' || n, 'publish read',
       timestamptz '2026-01-01' + n * interval '1 second'
  FROM generate_series($1::int, $2::int) AS n
ON CONFLICT (id) DO NOTHING`;

/** The measured uses of keys. */
const MEASURED = {
  find: "the look-up of a key that the API does not have in memory",
  unknown: "the look-up of a key that does not exist",
  page: "the first 1,000 keys of the list",
  list: "the whole list, for 1,000 keys",
  revoke: "revoking a key",
};
const WHAT = ["find", "unknown", "page", "list", "revoke"] as const;
type Times = Record<(typeof WHAT)[number], number[]>;

/** Cost of a million API keys, against a thousand. */
export const apiKeys: Benchmark = {
  name: "api-keys",
  title: "A million API keys",
  async run(context): Promise<BenchmarkResult> {
    const { serverUrl } = context;
    const engines: Engine[] = serverUrl === undefined ? ["embedded"] : ["embedded", "server"];
    const figures: Figure[] = [];
    for (const [index, engine] of engines.entries()) {
      context.onProgress(engine, index / engines.length);
      const onProgress = (text: string) => context.onProgress(`${engine}, ${text}`, index / engines.length);
      figures.push(...(await measure(engine, { ...context, onProgress })));
    }
    return { figures, skipped: serverUrl === undefined ? ["On a server: there is none."] : [] };
  },
};

async function measure(
  engine: Engine,
  { mode, serverUrl, signal, onProgress }: BenchContext,
): Promise<Figure[]> {
  const url = engine === "server" ? serverUrl : undefined;
  const few = await createTemporaryDatabase(url, "few_keys");
  try {
    const many = await createTemporaryDatabase(url, "many_keys");
    try {
      onProgress("the keys", 0);
      await fill(few.database, FEW, signal);
      await fill(many.database, MANY[mode], signal);
      onProgress("one by one", 0);
      const times = { few: noTimes(), many: noTimes() };
      for (let round = 0; round < ROUNDS[mode]; round += 1) {
        signal.throwIfAborted();
        await measureOnce(few.database, FEW, times.few);
        await measureOnce(many.database, MANY[mode], times.many);
      }
      onProgress("the lists", 0);
      for (let list = 0; list < LISTS[mode]; list += 1) {
        signal.throwIfAborted();
        await measureList(few.database, FEW, times.few);
        await measureList(many.database, MANY[mode], times.many);
      }
      return figuresOf(engine, MANY[mode], times);
    } finally {
      await many.remove();
    }
  } finally {
    await few.remove();
  }
}

const noTimes = (): Times => ({ find: [], unknown: [], page: [], list: [], revoke: [] });

async function fill(database: Database, keys: number, signal: AbortSignal): Promise<void> {
  const step = 100_000;
  for (let from = 1; from <= keys; from += step) {
    signal.throwIfAborted();
    const rows = [from, Math.min(keys, from + step - 1)];
    await database.asOwner((owner) => owner.query(INSERT, rows));
  }
  await database.asOwner((owner) => owner.execute("ANALYZE synap.api_keys"));
}

/** Each with another key, so that a page of the table that was read before helps none of them more than it would others. */
async function measureOnce(database: Database, keys: number, times: Times): Promise<void> {
  const [row] = await database.query<{ find: string; revoke: string }>(
    `SELECT ${idOf("$1::int")} AS find, ${idOf("$2::int")} AS revoke`,
    [randomKey(keys), randomKey(keys)],
  );
  if (row === undefined) throw new Error("A statement without a table returned no row.");
  times.find.push(
    await timed(async () => {
      if ((await findApiKey(database, row.find)) === undefined)
        throw new Error(`There is no key ${row.find}.`);
    }),
  );
  times.unknown.push(
    await timed(async () => {
      if ((await findApiKey(database, createKeyToken().id)) !== undefined)
        throw new Error("A key was guessed.");
    }),
  );
  times.page.push(
    await timed(async () => {
      const list = listApiKeys(database);
      if ((await list.next()).done) throw new Error("There are no keys.");
      await list.return();
    }),
  );
  times.revoke.push(await timed(() => revokeApiKey(database, row.revoke)));
}

const randomKey = (keys: number) => 1 + Math.floor(Math.random() * keys);

async function measureList(database: Database, keys: number, times: Times): Promise<void> {
  let listed = 0;
  const ms = await timed(async () => {
    for await (const _ of listApiKeys(database)) listed += 1;
  });
  if (listed !== keys) throw new Error(`Of ${keys} keys ${listed} were listed.`);
  times.list.push((ms * 1_000) / keys);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function figuresOf(engine: Engine, keys: number, { few, many }: { few: Times; many: Times }): Figure[] {
  return WHAT.map((what) => ({
    id: `api-keys.${engine}.${what}`,
    name: `${MEASURED[what]}: ${keys.toLocaleString("en")} keys against ${FEW.toLocaleString("en")}`,
    engine,
    value: median(many[what]) / median(few[what]),
    unit: "ratio",
    better: "lower",
    note: `${median(many[what]).toFixed(2)} ms against ${median(few[what]).toFixed(2)} ms, medians of ${many[what].length}, in turns.`,
  }));
}
