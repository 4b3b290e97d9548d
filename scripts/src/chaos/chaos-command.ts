import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProgressLine } from "@synap/cli/terminal/progress-line.ts";
import { abortOnSignal, UsageError } from "@synap/service";
import { count, counted } from "@synap/types/internal";
import { createTemporaryDatabase } from "../performance/temporary-database.ts";
import { canRunTimescaledb, TimescaledbServer } from "../processes/timescaledb-server.ts";
import { chaosAsJson, chaosAsText, countChaosFaults } from "./chaos-report.ts";
import { type ChaosProgress, runChaos } from "./run-chaos.ts";

export interface ChaosCommandOptions {
  readonly seconds: number;
  readonly clients: number;
  readonly every: number;
  readonly seed: number;
  /** An existing server, on which the run makes a database. The run neither kills it nor fills its disk. */
  readonly databaseUrl: string | undefined;
  readonly json: boolean;
}

/** No server is where chaos needs one. */
export class ChaosServerError extends UsageError {
  override readonly name = "ChaosServerError";
  override readonly code = "CHAOS_SERVER_MISSING";
}

const PORT = 54336;
/**
 * Room for an hour: some 5 KiB an event, with the read models, the envelopes that the broker keeps and the write-ahead log. It is a
 * limit and not taken in advance.
 */
const DISK_MIB = 16_384;

/**
 * Runs chaos as a command. Resolves with whether every promise was kept.
 *
 * @throws ChaosServerError when there is neither a server nor the means to make one
 */
export async function runChaosCommand(options: ChaosCommandOptions): Promise<boolean> {
  if (options.databaseUrl === undefined && !canRunTimescaledb) {
    throw new ChaosServerError(
      "stress --chaos needs a TimescaleDB server. Set DATABASE_URL to a login that may create databases, or run it as " +
        "root on Debian, where it makes a server of its own that it may also kill.",
    );
  }
  const stop = abortOnSignal();
  const progress = new ProgressLine();
  const directory = mkdtempSync(join(tmpdir(), "synap-chaos-"));
  const server =
    options.databaseUrl === undefined ? new TimescaledbServer(PORT, { diskMiB: DISK_MIB }) : undefined;
  try {
    await server?.remove();
    await server?.start();
    const { database, url, remove } = await createTemporaryDatabase(
      server?.url ?? options.databaseUrl,
      "chaos",
    );
    try {
      await database.close();
      if (url === undefined) throw new Error("Chaos was given an embedded database.");
      const result = await runChaos({
        ...options,
        databaseUrl: url,
        server,
        directory,
        signal: stop,
        onProgress: (now) => progress.show(now.share, describe(now)),
      });
      progress.end();
      console.log(options.json ? JSON.stringify(chaosAsJson(result), null, 2) : chaosAsText(result));
      return countChaosFaults(result) === 0;
    } finally {
      progress.end();
      if (server === undefined) await remove();
    }
  } finally {
    await server?.remove();
    rmSync(directory, { recursive: true, force: true });
  }
}

function describe({ phase, sent, accepted, faults }: ChaosProgress): string {
  if (phase === "starting") return "starting two APIs, two workers and the broker";
  return `${phase}: ${count(accepted)} of ${counted(sent, "event")} accepted, ${counted(faults, "fault")}`;
}
