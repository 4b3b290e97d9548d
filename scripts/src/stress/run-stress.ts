import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Database, openDatabase } from "@synap/database";
import { appendEndMarker } from "./end-marker.ts";
import { examineReader } from "./examine-readers.ts";
import { examineStore, totalOf } from "./examine-store.ts";
import { type IdleTransaction, openIdleTransaction } from "./idle-transaction.ts";
import { createRandom, type Random } from "./random.ts";
import { nameOf, readReaderJournal } from "./reader-journal.ts";
import { disableWatermark } from "./sabotage.ts";
import { readStoredRows } from "./stored-rows.ts";
import { END_MARKER } from "./stress-events.ts";
import {
  describeReader,
  type ProcessPlan,
  type Progress,
  type ReaderRole,
  readerRoles,
} from "./stress-plan.ts";
import type { StressResult } from "./stress-result.ts";
import { StressWorker } from "./stress-worker.ts";
import { readWriterJournal } from "./writer-journal.ts";

export interface StressOptions {
  /** A migrated, empty database. An embedded one must not be open. */
  readonly location: ProcessPlan["database"];
  /** An empty directory for the journals. */
  readonly directory: string;
  readonly seconds: number;
  readonly writers: number;
  readonly readers: number;
  /** Average pause between a restart and the next kill, in seconds; 0: no kills. */
  readonly killEvery: number;
  readonly seed: number;
  readonly sabotage: boolean;
  /** Ends the writing early; the events up to then are examined. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: StressProgress) => void) | undefined;
}

export interface StressProgress extends Progress {
  readonly phase: "starting" | "writing" | "reading on" | "examining";
  /** Of the writing, between 0 and 1. */
  readonly share: number;
  readonly kills: number;
}

/** Time limit for readers to reach the end once the writing has ended. */
const READING_ON_MS = 60_000;
/** Time limit for the server to notice that killed writers are gone. */
const LEAVING_MS = 30_000;

/**
 * Runs writers and readers on a database, kills them at random, and examines the outcome of every event.
 * On a server each is a separate process; on an embedded database all share one.
 * @throws StressProcessError when a process fails without being killed
 */
export async function runStress(options: StressOptions): Promise<StressResult> {
  const { location, seed } = options;
  const isServer = "url" in location;
  const roles = readerRoles(options.readers, options.seconds * 1000);
  const totals = { acknowledged: 0, read: 0, refused: 0 };
  const workers = planProcesses(options, roles).map(
    (plan) =>
      new StressWorker(plan, (progress) => {
        totals.acknowledged += progress.acknowledged;
        totals.read += progress.read;
        totals.refused += progress.refused;
      }),
  );
  const kills = () => workers.reduce((sum, { restarts }) => sum + restarts, 0);
  const show = (phase: StressProgress["phase"], share: number) =>
    options.onProgress?.({ ...totals, phase, share, kills: kills() });

  let database: Database | undefined;
  let idleTransaction: IdleTransaction | undefined;
  try {
    if (isServer) {
      database = await openDatabase({ ...location, applicationName: "synap stress" });
      if (options.sabotage) await disableWatermark(database);
      idleTransaction = await openIdleTransaction(database);
    }
    show("starting", 0);
    for (const worker of workers) worker.start();
    await Promise.all(workers.map((worker) => worker.ready()));

    const from = performance.now();
    await writeAndKill(workers, options, createRandom(seed, "kills"), (share) => show("writing", share));
    const seconds = Math.round((performance.now() - from) / 1000);
    for (const worker of workers) worker.endWriting();
    const readingOn = setInterval(() => show("reading on", 1), 200);
    try {
      if (database !== undefined) {
        await Promise.all(workers.filter(isWriter).map((worker) => worker.ended()));
        await untilWritersLeft(database);
      }
      await readToTheEnd(workers, database);
    } finally {
      clearInterval(readingOn);
    }
    await idleTransaction?.end();
    idleTransaction = undefined;

    show("examining", 1);
    database ??= await openDatabase(location);
    return await examine(database, { ...options, seconds }, roles, workers);
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()));
    await idleTransaction?.end().catch(() => undefined);
    await database?.close();
  }
}

function planProcesses(options: StressOptions, readers: readonly ReaderRole[]): ProcessPlan[] {
  const { location, directory, seed } = options;
  const common = { database: location, directory, seed, restarts: 0 };
  const writers = Array.from({ length: options.writers }, (_, index) => ({
    kind: "writer" as const,
    number: index + 1,
  }));
  if (!("url" in location)) {
    // They share one session, so a pause in a transaction blocks all of them.
    const all = { roles: [...writers, ...readers], longPauseMs: 10, appendsEndMarker: true };
    return [{ ...common, name: "everybody", ...all }];
  }
  return [...writers, ...readers].map((role) => ({
    ...common,
    name: `${role.kind} ${role.number}`,
    roles: [role],
    longPauseMs: 1_500,
    appendsEndMarker: false,
  }));
}

function isWriter(worker: StressWorker): boolean {
  return worker.name.startsWith("writer");
}

async function writeAndKill(
  workers: readonly StressWorker[],
  { seconds, killEvery, signal }: StressOptions,
  random: Random,
  show: (share: number) => void,
): Promise<void> {
  const from = performance.now();
  const end = from + seconds * 1000;
  const soon = () => performance.now() + killEvery * 1000 * (0.5 + random.next());
  let nextKill = killEvery > 0 ? soon() : Number.POSITIVE_INFINITY;
  let killing: Promise<void> = Promise.resolve();
  for (let now = from; now < end && signal?.aborted !== true; now = performance.now()) {
    for (const worker of workers) worker.check();
    show((now - from) / (end - from));
    const victim = workers[random.whole(0, workers.length - 1)];
    if (now >= nextKill && victim !== undefined) {
      nextKill = Number.POSITIVE_INFINITY;
      killing = victim.killAndRestart(random.pause(1_000)).then(() => {
        nextKill = soon();
      });
      // A process that doesn't come back is found by the check above, or at the end.
      killing.catch(() => undefined);
    }
    await sleep(Math.min(100, end - now));
  }
  await killing;
}

/** A killed writer's last statement may still be at work in the server. The end marker must come after it. */
async function untilWritersLeft(database: Database): Promise<void> {
  const deadline = performance.now() + LEAVING_MS;
  for (;;) {
    const rows = await database.query(
      `SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'synap stress writer%'`,
    );
    if (rows.length === 0) return;
    if (performance.now() > deadline)
      throw new Error("A killed writer's session does not end on the server.");
    await sleep(50);
  }
}

/**
 * Readers that don't come to the end in time are ended; the report shows what they lack. The end is marked again and
 * again, because a reader that misses events may miss the mark.
 */
async function readToTheEnd(workers: readonly StressWorker[], database: Database | undefined): Promise<void> {
  let isOver = false;
  const over = Promise.all(workers.map((worker) => worker.ended())).finally(() => {
    isOver = true;
  });
  over.catch(() => undefined);
  for (const deadline = performance.now() + READING_ON_MS; !isOver; ) {
    if (database !== undefined) await appendEndMarker(database);
    await Promise.race([over, sleep(1_000)]);
    if (performance.now() > deadline) await Promise.all(workers.map((worker) => worker.kill()));
  }
  await over;
}

async function examine(
  database: Database,
  { directory, writers, seconds, seed }: StressOptions,
  roles: readonly ReaderRole[],
  workers: readonly StressWorker[],
): Promise<StressResult> {
  const lines = Array.from({ length: writers }, (_, index) =>
    readWriterJournal(join(directory, `writer-${index + 1}.ndjson`)),
  ).flat();
  const stored = await readStoredRows(database);
  const kills = (kind: string) =>
    workers.filter(({ name }) => name.startsWith(kind)).reduce((sum, { restarts }) => sum + restarts, 0);
  const { engine, capabilities } = database;
  return {
    engine: {
      engine,
      postgresql: capabilities.postgresVersion,
      timescaledb: capabilities.timescaledbVersion ?? "none",
      edition: capabilities.edition ?? "none",
    },
    seconds,
    seed,
    appended: [...stored.values()].filter(({ stream }) => stream !== nameOf(END_MARKER.stream)).length,
    writers: { count: writers, ...totalOf(lines) },
    kills: { writers: kills("writer"), readers: kills("reader"), everybody: kills("everybody") },
    readers: roles.map((role) => ({
      name: describeReader(role),
      restarts:
        workers.find(({ name }) => name === `reader ${role.number}` || name === "everybody")?.restarts ?? 0,
      ...examineReader(
        readReaderJournal(join(directory, `reader-${role.number}.ndjson`)),
        stored,
        role.aggregateType,
      ),
    })),
    store: await examineStore(database, stored, lines),
  };
}
