import {
  ARCHIVE_FORMATS,
  ArchiveDestinationError,
  ArchiveFileBrokenError,
  ArchiveFileMissingError,
  type ArchiveFormatName,
  archiveFormat,
  InvalidArchiveUrlError,
  openArchiveDestination,
} from "@synap/archive";
import type { Database } from "@synap/database";
import {
  ArchiveDamagedError,
  ArchiveOutdatedError,
  ArchiveStateError,
  archivedChunks,
  dueChunks,
  isLockTimeout,
} from "@synap/database/internal";
import { commandOf } from "@synap/service/called-as";
import { EXIT, ExitError, UsageError } from "@synap/service/exit-codes";
import { counted } from "@synap/types/internal";
import { Command, Option } from "commander";
import { withMigratedDatabase } from "../data-directory/with-migrated-database.ts";
import { operator, textOption } from "../maintaining/actor-options.ts";
import { dataOption, momentOption } from "../terminal/command.ts";
import { helpText } from "../terminal/help-text.ts";
import { ProgressLine } from "../terminal/progress-line.ts";
import { jsonText, plain } from "../terminal/table.ts";
import { type ArchivedNow, archiveChunk, catchUp } from "./archive-chunk.ts";
import { InterruptedError } from "./archive-files.ts";
import { describeArchived, describeDone, describeDue } from "./describe-archive.ts";
import { storeName } from "./manifest.ts";
import { restoreArchived, verifyArchived } from "./use-archive.ts";

const MAX_ACTOR = 134;

interface StoreOptions {
  readonly data: string;
  readonly json: boolean;
}

interface ArchiveOptions extends StoreOptions {
  readonly before?: string;
  readonly to?: string;
  readonly format: ArchiveFormatName;
  readonly dryRun: boolean;
  readonly keep: boolean;
  readonly by: string;
}

/** The command line of `archive`. */
export function archiveCommand(): Command {
  return (
    new Command("archive")
      // Its subcommands have options of the same names.
      .enablePositionalOptions()
      .description(
        "Moves old chunks of events out of the database into files: writes each, reads it back, and drops it. Ids, idempotency keys, versions and the hash chain " +
          "stay. Readers that would skip archived events are refused until their chunk is restored.",
      )
      .option(
        "--before <moment>",
        "archive the chunks that end before it, such as 2025-01-01T00:00:00Z",
        momentOption,
      )
      .option("--to <place>", "a folder, or s3://BUCKET/PREFIX")
      .addOption(
        new Option("--format <format>", "the form of the files")
          .choices(ARCHIVE_FORMATS)
          .default("ndjson.zst"),
      )
      .option("--dry-run", "only list the chunks", false)
      .option("--keep", "write and verify the files, and leave the chunks in the database", false)
      .addOption(byOption("who archives them"))
      .option("--json", "print JSON, for programs", false)
      .addOption(storeOption())
      .action(archive)
      .addCommand(listCommand())
      .addCommand(verifyCommand())
      .addCommand(restoreCommand())
      .addHelpText(
        "after",
        helpText({
          notes: [
            "The newest chunk stays, and so does one with events that the hash chain does not have yet. A run that was interrupted, also by kill -9, is finished by the next.",
            "The login must own the schema. With an embedded database, stop Synap first.",
          ],
          environment: [
            ["DATABASE_URL", "a server, which may be in use meanwhile; without it, the embedded database"],
            [
              "DATABASE_DIRECT_URL",
              "the same database past a connection pooler, if DATABASE_URL leads through one",
            ],
            ["AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY", "who writes to a bucket"],
            ["AWS_REGION, AWS_ENDPOINT_URL_S3", "where the bucket is"],
          ],
          examples: [
            [
              commandOf("archive", "--before 2025-01-01T00:00:00Z --to /srv/archive --dry-run"),
              "lists the chunks",
            ],
            [commandOf("archive", "--before 2025-01-01T00:00:00Z --to s3://archive/synap --format parquet")],
            [commandOf("archive", "list")],
          ],
          exitCodes: ["done", "failed", "usage", "interrupted"],
        }),
      )
  );
}

async function archive(options: ArchiveOptions): Promise<void> {
  const { before, to } = options;
  if (before === undefined || to === undefined)
    throw new UsageError("Archiving needs --before MOMENT and --to PLACE; or give list, verify or restore.");
  const destination = openPlace(to);
  await onArchive(options, async (database, signal, line) => {
    await catchUp(database, (step) => line.show(undefined, step));
    const due = await dueChunks(database, new Date(before));
    if (options.dryRun) {
      console.log(options.json ? jsonText(due, 2) : describeDue(due));
      return;
    }
    const earlier = new Map((await archivedChunks(database)).map((each) => [each.chunk, each]));
    const done: ArchivedNow[] = [];
    for (const [index, chunk] of due.entries()) {
      if (signal.aborted) throw new InterruptedError();
      const onProgress = (step: string, events: number) =>
        line.show(
          index / due.length,
          `${step} chunk ${index + 1} of ${due.length}: ${counted(events, "event")}`,
        );
      const run = {
        database,
        destination,
        format: archiveFormat(options.format),
        store: await storeName(database),
        by: options.by,
        keep: options.keep,
        signal,
        onProgress,
      };
      const archived = await archiveChunk(run, chunk, earlier.get(chunk.chunk));
      done.push(archived);
      line.end();
      if (!options.json) console.log(plain(describeDone(archived)));
    }
    if (options.json) console.log(jsonText(done, 2));
    else if (due.length === 0) console.log(`No chunk that ends before ${before} can be archived.`);
  });
}

function listCommand(): Command {
  return new Command("list")
    .description("Lists the chunks that were archived.")
    .option("--json", "print JSON, for programs", false)
    .addOption(storeOption())
    .action(async (options: StoreOptions) => {
      await onArchive(options, async (database) => {
        const chunks = await archivedChunks(database);
        console.log(options.json ? jsonText(chunks, 2) : describeArchived(chunks));
      });
    });
}

function verifyCommand(): Command {
  return new Command("verify")
    .description("Reads the archived chunks back, and compares them with the hash chain.")
    .argument("[chunk...]", "only these")
    .option("--json", "print JSON, for programs", false)
    .addOption(storeOption())
    .action(async (chunks: readonly string[], options: StoreOptions) => {
      await onArchive(options, async (database, signal, line) => {
        const verified = await verifyArchived({ database, signal, line }, chunks);
        if (options.json) console.log(jsonText(verified, 2));
        for (const { chunk, events, fault } of options.json ? [] : verified)
          console.log(plain(`${chunk}: ${fault ?? `${counted(events, "event")}, as archived`}`));
        if (!options.json && verified.length === 0) console.log("No chunk is archived.");
        const faults = verified.filter(({ fault }) => fault !== undefined);
        if (faults.length > 0)
          throw new ExitError(
            EXIT.failed,
            `${counted(faults.length, "chunk is", "chunks are")} not as archived.`,
          );
      });
    });
}

function restoreCommand(): Command {
  return new Command("restore")
    .description(
      "Writes archived chunks back into the database, with the positions, ids and versions that they had.",
    )
    .argument("<chunk...>", "their names, as list and the error of a reader have them")
    .addOption(byOption("who restores them"))
    .option("--json", "print JSON, for programs", false)
    .addOption(storeOption())
    .action(async (chunks: readonly string[], options: StoreOptions & { by: string }) => {
      await onArchive(options, async (database, signal, line) => {
        const restored = await restoreArchived({ database, signal, line }, chunks, options.by);
        if (options.json) console.log(jsonText(restored, 2));
        for (const { chunk, events } of options.json ? [] : restored)
          console.log(plain(`${chunk}: ${counted(events, "event")} restored`));
      });
    });
}

/** Opens a place for archives. @throws UsageError */
export function openPlace(place: string): ReturnType<typeof openArchiveDestination> {
  try {
    return openArchiveDestination(place);
  } catch (error) {
    if (error instanceof InvalidArchiveUrlError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

async function onArchive(
  { data }: StoreOptions,
  work: (database: Database, signal: AbortSignal, line: ProgressLine) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const end = () => stop.abort();
  // A second one ends the process at once, which does no harm.
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  const line = new ProgressLine();
  try {
    await withMigratedDatabase(data, "archived chunks", (database) => work(database, stop.signal, line));
  } catch (error) {
    throw toExitError(error);
  } finally {
    line.end();
    process.off("SIGINT", end);
    process.off("SIGTERM", end);
  }
}

const EXPECTED = [
  ArchiveDamagedError,
  ArchiveDestinationError,
  ArchiveFileBrokenError,
  ArchiveFileMissingError,
  ArchiveOutdatedError,
  ArchiveStateError,
] as const;

function toExitError(error: unknown): unknown {
  for (const expected of EXPECTED)
    if (error instanceof expected) return new ExitError(EXIT.failed, error.message, { cause: error });
  if (error instanceof InterruptedError)
    return new ExitError(EXIT.interrupted, error.message, { cause: error });
  if (isLockTimeout(error)) {
    const reason = "Readers held the archive's tables for too long. Run it again.";
    return new ExitError(EXIT.failed, reason, { cause: error });
  }
  return error;
}

function byOption(what: string): Option {
  return new Option("--by <actor>", what).argParser(textOption(MAX_ACTOR)).default(`user:${operator()}`);
}

function storeOption(): Option {
  return dataOption("the data directory, without DATABASE_URL; stop Synap first");
}
