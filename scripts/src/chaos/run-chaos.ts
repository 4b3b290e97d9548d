import { setTimeout as sleep } from "node:timers/promises";
import { type Database, openDatabase } from "@synap/database";
import { createOperatorKey } from "../processes/operator-key.ts";
import type { TimescaledbServer } from "../processes/timescaledb-server.ts";
import { createRandom } from "../stress/random.ts";
import { countRows } from "../stress/store-laws.ts";
import { compareReadModels } from "./compare-read-models.ts";
import { type ChaosFindings, examineChaos } from "./examine-chaos.ts";
import { FAULTS, type FaultTargets } from "./faults.ts";
import { Ledger } from "./ledger.ts";
import { startRig } from "./rig.ts";
import { countOpenDeadLetters, type Settled, sendUnknownAgain, settle } from "./settle.ts";
import { runClient } from "./traffic.ts";

export interface ChaosOptions {
  /** An empty database of this run's own. */
  readonly databaseUrl: string;
  /** Its server, when the run may kill it and fill its disk. */
  readonly server: TimescaledbServer | undefined;
  /** An empty directory, for the files that hold the clocks. */
  readonly directory: string;
  readonly seconds: number;
  readonly clients: number;
  /** The pause between two faults, in seconds, on average. */
  readonly every: number;
  readonly seed: number;
  /** Ends the faults early; what was sent by then is examined. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ChaosProgress) => void;
}

export interface ChaosProgress {
  readonly phase: "starting" | "breaking" | "recovering" | "examining";
  /** Of the time in which things are broken, between 0 and 1. */
  readonly share: number;
  readonly sent: number;
  readonly accepted: number;
  readonly faults: number;
}

/** Number of faults of each kind. */
export type FaultCounts = Readonly<Record<string, number>>;

export interface ChaosResult extends Settled {
  readonly seconds: number;
  readonly seed: number;
  readonly clients: number;
  readonly sent: number;
  readonly accepted: number;
  readonly refused: number;
  /** Without a definite response when the run ended, also after they were sent again: stored or not, nobody was promised. */
  readonly unknown: number;
  readonly stored: number;
  readonly faults: FaultCounts;
  readonly findings: ChaosFindings & RunFindings;
  /** Last output of the processes that ended unexpectedly. */
  readonly endings: readonly string[];
}

/** Findings other than those about events. */
export interface RunFindings {
  /** Rows in which the read models differ from what the log makes of them. */
  readonly readModelDifferences: number;
  /** Dead letters that are still open after a retry. */
  readonly openDeadLetters: number;
  /** Processes that ended by themselves, or not with exit code 0 when they were stopped. */
  readonly processesEnded: number;
}

/** Ends what hangs; it judges nothing. */
const RECOVERY_MS = 300_000;

/**
 * Runs two APIs, two workers and the broker on a database behind a proxy, breaks one thing after the other while
 * clients publish and append, repairs everything, and compares the store with every response that was given.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const ledger = new Ledger();
  const faults = new Map<string, number>();
  const show = (phase: ChaosProgress["phase"], share: number) =>
    options.onProgress?.({
      phase,
      share,
      sent: ledger.size,
      accepted: ledger.acceptedCount,
      faults: [...faults.values()].reduce((sum, count) => sum + count, 0),
    });
  show("starting", 0);
  const rig = await startRig(options);
  const { processes } = rig.targets;
  let database: Database | undefined;
  try {
    const stop = new AbortController();
    const clients = startClients(options, processes.apiUrls, ledger, stop.signal);
    const breaking = breakThings(options, rig.targets, faults, (share) => show("breaking", share));
    const seconds = await Promise.race([breaking, clients.then(() => breaking)]).finally(() => stop.abort());
    await clients;

    const recovering = setInterval(() => show("recovering", 1), 500);
    let settled: Settled;
    try {
      await processes.ready(RECOVERY_MS);
      await processes.workersListen(RECOVERY_MS);
      await sendUnknownAgain(ledger);
      // A statement that compares what an hour has left takes minutes on a busy machine.
      database = await openDatabase({
        url: options.databaseUrl,
        applicationName: "synap chaos",
        statementTimeout: 900_000,
      });
      settled = await settle(
        database,
        { apiUrl: processes.apiUrl, token: await createOperatorKey(database) },
        ledger,
      );
    } finally {
      clearInterval(recovering);
    }
    const ended = processes.ended();
    const failed = Object.entries(await processes.stop()).filter(([, code]) => code !== 0);

    show("examining", 1);
    return {
      seconds,
      seed: options.seed,
      clients: options.clients,
      ...countOutcomes(ledger),
      stored: await countRows(database, "SELECT FROM synap.events"),
      ...settled,
      faults: Object.fromEntries(faults),
      findings: {
        ...(await examineChaos(database, ledger.entries())),
        readModelDifferences: await compareReadModels(database),
        openDeadLetters: await countOpenDeadLetters(database),
        processesEnded: ended.length + failed.length,
      },
      endings: [...ended, ...failed.map(([name, code]) => `${name} ended with ${code} when it was stopped`)],
    };
  } finally {
    await database?.close();
    await rig.stop();
  }
}

async function startClients(
  { clients, seed }: ChaosOptions,
  apiUrls: readonly [string, ...string[]],
  ledger: Ledger,
  stop: AbortSignal,
): Promise<void> {
  const run = seed.toString(36);
  await Promise.all(
    Array.from({ length: clients }, (_, index) =>
      runClient({ apiUrls, ledger, random: createRandom(seed, `client ${index}`), stop, run }),
    ),
  );
}

/** @returns the seconds it took: somewhat longer than asked for, because the last fault is repaired first */
async function breakThings(
  { seconds, every, seed, signal, server }: ChaosOptions,
  targets: FaultTargets,
  faults: Map<string, number>,
  show: (share: number) => void,
): Promise<number> {
  const random = createRandom(seed, "faults");
  const [first, ...others] = FAULTS.filter(({ needsServer }) => needsServer !== true || server !== undefined);
  const from = performance.now();
  const share = () => Math.min(1, (performance.now() - from) / (seconds * 1000));
  const showing = setInterval(() => show(share()), 200);
  try {
    while (first !== undefined && share() < 1 && signal?.aborted !== true) {
      await sleep(every * 1000 * (0.5 + random.next()), undefined, { signal }).catch(() => undefined);
      const fault = random.pickByShare([first, ...others]);
      await fault.run(targets, random);
      faults.set(fault.name, (faults.get(fault.name) ?? 0) + 1);
    }
  } finally {
    clearInterval(showing);
  }
  return Math.round((performance.now() - from) / 1000);
}

function countOutcomes(ledger: Ledger): Pick<ChaosResult, "sent" | "accepted" | "refused" | "unknown"> {
  const counts = { accepted: 0, refused: 0, unknown: 0 };
  for (const { outcome } of ledger.entries()) counts[outcome] += 1;
  return { sent: ledger.size, ...counts };
}
