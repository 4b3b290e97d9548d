import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wholeOption } from "@synap/cli/terminal/command.ts";
import { helpText } from "@synap/cli/terminal/help-text.ts";
import { runProgram, setUpCommand } from "@synap/cli/terminal/program.ts";
import { ProgressLine } from "@synap/cli/terminal/progress-line.ts";
import { withoutPassword } from "@synap/cli/terminal/without-password.ts";
import { abortOnSignal, EXIT, UsageError } from "@synap/service";
import { commandOf } from "@synap/service/called-as";
import { count } from "@synap/types/internal";
import { Command } from "commander";
import { runChaosCommand } from "./chaos/chaos-command.ts";
import { createTemporaryDatabase } from "./performance/temporary-database.ts";
import { runStress, type StressProgress } from "./stress/run-stress.ts";
import { reportAsJson, reportAsText } from "./stress/stress-report.ts";
import { countFaults } from "./stress/stress-result.ts";

interface StressCommandOptions {
  seconds: number;
  writers: number;
  readers: number;
  kill?: number;
  seed?: number;
  embedded: boolean;
  sabotage: boolean;
  keep: boolean;
  json: boolean;
  chaos: boolean;
  clients: number;
  every: number;
}

const SERVER_KILLS = 3;
/** Opening an embedded database again takes a second or two. */
const EMBEDDED_KILLS = 12;

/** Runs the stress test as a command. It fails when something is wrong. */
export async function runStressCommand(): Promise<void> {
  const command = new Command("stress")
    .description(
      "Proves the laws of appending and reading on your own database. Writers append to streams they fight over, with pauses, " +
        "savepoints and rollbacks; readers subscribe from the start and live; both are killed and go on from their checkpoints. " +
        "Then every event is accounted for: all faults must be 0. It works in a database of its own, which it makes beside yours " +
        "and removes.",
    )
    .option("--seconds <n>", "how long to write", wholeOption(1, 86_400), 60)
    .option("--writers <n>", "writers", wholeOption(1, 64), 8)
    .option(
      "--readers <n>",
      "readers: from the start, live, late, of one kind of stream",
      wholeOption(1, 64),
      4,
    )
    .option(
      "--kill <seconds>",
      `kill -9 one of them about so many seconds after the last one is back; 0 never (default: ${SERVER_KILLS}, embedded ${EMBEDDED_KILLS})`,
      wholeOption(0, 86_400),
    )
    .option("--seed <n>", "choose the same things as the run with this seed", wholeOption(0, 2 ** 32 - 1))
    .option("--embedded", "test the embedded engine, also when DATABASE_URL is set", false)
    .option("--sabotage", "take the watermark out, to see that this test can fail (on a server)", false)
    .option(
      "--chaos",
      "break a whole installation instead: two APIs, two workers, the broker and the database (see below)",
      false,
    )
    .option("--clients <n>", "with --chaos: clients that publish and append", wholeOption(1, 256), 8)
    .option(
      "--every <seconds>",
      "with --chaos: the pause between two faults, on average",
      wholeOption(1, 3_600),
      2,
    )
    .option("--keep", "keep the database and the journals", false)
    .option("--json", "print the result as JSON", false)
    .addHelpText(
      "after",
      helpText({
        notes: [
          "With --chaos, two APIs, two workers and the broker run as processes of their own on a database behind a proxy. Clients " +
            "publish and append to hot and cold streams and share idempotency keys, while one thing after the other breaks: a " +
            "process is killed or frozen, the database is stalled, dropped or refused, a clock is moved, PostgreSQL is killed, its " +
            "disk is full. Then everything is repaired, and every response is compared with the log, and every read model with " +
            "the events. The last two faults need a server that the run may break: without DATABASE_URL it makes one of its own " +
            "(as root on Debian). Of the options, --seconds, --seed and --json count; a seed gives the same faults in the same " +
            "order, not at the same moments.",
        ],
        environment: [
          [
            "DATABASE_URL",
            "a login that may create databases; without it the embedded engine, or with --chaos a server of the run's own",
          ],
        ],
        examples: [
          [commandOf("stress", "--seconds 600 --writers 16")],
          [commandOf("stress", "--chaos --seconds 3600")],
        ],
        exitCodes: ["done", "failed", "usage"],
      }),
    )
    .action(run);
  await runProgram(setUpCommand(command, (args) => commandOf("stress", args)));
}

async function run(options: StressCommandOptions): Promise<void> {
  if (options.chaos) await runAsChaos(options);
  else await runWritersAndReaders(options);
}

async function runAsChaos({ seconds, clients, every, seed, json }: StressCommandOptions): Promise<void> {
  const isKept = await runChaosCommand({
    seconds,
    clients,
    every,
    seed: seed ?? randomSeed(),
    databaseUrl: process.env["DATABASE_URL"] || undefined,
    json,
  });
  process.exitCode = isKept ? EXIT.done : EXIT.failed;
}

function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 32);
}

async function runWritersAndReaders(options: StressCommandOptions): Promise<void> {
  const serverUrl = options.embedded ? undefined : process.env["DATABASE_URL"] || undefined;
  if (options.sabotage && serverUrl === undefined) {
    throw new UsageError(
      "--sabotage needs a server (DATABASE_URL): an embedded database runs one transaction after the other.",
    );
  }
  const progress = new ProgressLine();
  // Ctrl-C ends the writing; the report is about what was done by then.
  const stop = abortOnSignal();
  const directory = mkdtempSync(join(tmpdir(), "synap-stress-journals-"));
  try {
    const { database, location, remove } = await createTemporaryDatabase(serverUrl, "stress");
    try {
      await database.close();
      const result = await runStress({
        location,
        directory,
        seconds: options.seconds,
        writers: options.writers,
        readers: options.readers,
        killEvery: options.kill ?? (serverUrl === undefined ? EMBEDDED_KILLS : SERVER_KILLS),
        seed: options.seed ?? randomSeed(),
        sabotage: options.sabotage,
        signal: stop,
        onProgress: (now) => progress.show(now.share, describe(now)),
      });
      progress.end();
      console.log(options.json ? JSON.stringify(reportAsJson(result), null, 2) : reportAsText(result));
      process.exitCode = countFaults(result) === 0 ? EXIT.done : EXIT.failed;
    } finally {
      progress.end();
      if (options.keep) {
        const where = "url" in location ? location.url : location.dataDirectory;
        console.error(`Kept: the database ${withoutPassword(where)}, the journals ${directory}`);
      } else await remove();
    }
  } finally {
    if (!options.keep) rmSync(directory, { recursive: true, force: true });
  }
}

function describe({ phase, acknowledged, read, refused, kills }: StressProgress): string {
  const events = `${count(acknowledged)} appended, ${count(refused)} refused, ${count(read)} read, ${kills} kills`;
  return phase === "starting" ? "starting" : `${phase}: ${events}`;
}
