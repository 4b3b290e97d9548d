import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { MAX_SAMPLE } from "@synap/database/internal";
import { commandOf } from "@synap/service/called-as";
import {
  type CatalogueLock,
  CatalogueLockError,
  checkCatalogue,
  isBreak,
  lockCatalogue,
  readLock,
  type TypeCheck,
  writeLock,
} from "@synap/service/catalogue-lock";
import { EXIT, ExitError, UsageError } from "@synap/service/exit-codes";
import { loadConfig } from "@synap/synap";
import type { EventCatalogue } from "@synap/types";
import { counted } from "@synap/types/internal";
import { Command, Option } from "commander";
import { withMigratedDatabase } from "../data-directory/with-migrated-database.ts";
import { replaceFile } from "../durable-files/replace-file.ts";
import { configOption, dataOption, warnOfUnknownSettings, wholeOption } from "../terminal/command.ts";
import { helpText } from "../terminal/help-text.ts";
import { jsonText } from "../terminal/table.ts";
import { type CorpusVersion, checkCorpus } from "./check-corpus.ts";
import { describeChecks, describeCorpus } from "./describe-checks.ts";

interface CatalogueOptions {
  readonly config?: string;
  readonly lock: string;
}

interface LockOptions extends CatalogueOptions {
  readonly check: boolean;
  readonly acceptBreaks: boolean;
}

interface CheckOptions extends CatalogueOptions {
  readonly oldConsumers: boolean;
  readonly strict: boolean;
  readonly json: boolean;
  readonly corpus?: number;
  readonly data: string;
}

/** The command line of `schemas`. */
export function schemasCommand(): Command {
  return new Command("schemas")
    .description(
      "Keeps the schemas of the application's event types in a file, and compares the code with them.",
    )
    .addCommand(lockCommand())
    .addCommand(checkCommand())
    .addHelpText(
      "after",
      helpText({
        notes: [
          "Both read the application's config only, and need no database and no running Synap; but --corpus reads stored events.",
        ],
        examples: [
          [commandOf("schemas", "lock"), "writes catalogue.lock.json"],
          [commandOf("schemas", "check"), "what the code would break"],
        ],
        exitCodes: ["done", "failed", "usage"],
      }),
    );
}

function lockCommand(): Command {
  return new Command("lock")
    .description(
      "Writes the schema of each version of each event type into a file to check in. Refuses to overwrite a lock that the code breaks.",
    )
    .option("--check", "write nothing, and exit 1 if the file is not that of the code", false)
    .option("--accept-breaks", "overwrite it even so", false)
    .addOption(lockOption())
    .addOption(configOption())
    .action(lock)
    .addHelpText("after", helpText({ exitCodes: ["done", "failed", "usage"] }));
}

function checkCommand(): Command {
  return new Command("check")
    .description(
      "Compares the code's event types with the lock, in both directions: old data with this code, and new data with old consumers. Each " +
        "break has a document that the one accepts and the other refuses. Exits 1 if old data breaks.",
    )
    .option("--old-consumers", "exit 1 as well if new data breaks old consumers", false)
    .option("--strict", "exit 1 as well if something can't be decided", false)
    .option("--json", "print JSON for programs in place of Markdown", false)
    .addOption(
      new Option(
        "--corpus <n>",
        "read stored events as well, through their steps: of each type and version the n oldest, the n newest, and n at random moments",
      ).argParser(wholeOption(1, MAX_SAMPLE)),
    )
    .addOption(lockOption())
    .addOption(configOption())
    .addOption(dataOption("the data directory for --corpus, without DATABASE_URL; stop Synap first"))
    .action(check)
    .addHelpText(
      "after",
      helpText({
        examples: [
          [commandOf("schemas", "check >> $GITHUB_STEP_SUMMARY"), "for a review"],
          [commandOf("schemas", "check --lock main.lock.json"), "with the lock of another branch"],
          [commandOf("schemas", "check --corpus 100"), "with stored events"],
        ],
        environment: [
          ["DATABASE_URL", "the server of --corpus; without it, the embedded database in the data directory"],
        ],
        exitCodes: ["done", "failed", "usage"],
      }),
    );
}

function lockOption(): Option {
  return new Option("--lock <file>", "the lock").default("catalogue.lock.json");
}

async function lock({ lock: path, config, check, acceptBreaks }: LockOptions): Promise<void> {
  warnOfUnknownSettings();
  const { catalogue } = (await loadConfig({ path: config })).application;
  const file = resolve(path);
  const text = writeLock(lockCatalogue(catalogue));
  const before = existsSync(file) ? readFileSync(file, "utf8") : undefined;
  if (before === text)
    return console.log(`${path} is that of the code: ${counted(catalogue.types.length, "event type")}.`);
  if (check)
    throw new ExitError(
      EXIT.failed,
      `${path} is not that of the code. ${commandOf("schemas", "lock")} writes it.`,
    );
  if (before !== undefined && !acceptBreaks)
    refuseBreaks(path, checkCatalogue(readLockText(path, before), catalogue));
  replaceFile(file, text);
  console.log(`wrote ${path}: ${counted(catalogue.types.length, "event type")}`);
}

/** @throws ExitError when the code breaks data of the lock, which would be forgotten with it */
function refuseBreaks(path: string, checks: readonly TypeCheck[]): void {
  const broken = checks.filter(({ oldData }) => isBreak(oldData));
  if (broken.length === 0) return;
  const names = broken.map(({ type }) => type).join(", ");
  throw new ExitError(
    EXIT.failed,
    `${path} was left as it is, because the code breaks data of ${counted(broken.length, "event type")} in it: ${names}. ` +
      `${commandOf("schemas", "check")} says how; --accept-breaks overwrites it even so.`,
  );
}

async function check(options: CheckOptions): Promise<void> {
  warnOfUnknownSettings();
  const { catalogue } = (await loadConfig({ path: options.config })).application;
  const checks = checkCatalogue(readLockFile(options.lock), catalogue);
  const corpus =
    options.corpus === undefined ? undefined : await readCorpus(options.data, catalogue, options.corpus);
  if (options.json)
    console.log(jsonText({ ...reportOf(checks), ...(corpus !== undefined && { corpus }) }, 2));
  else
    console.log(
      [describeChecks(checks), ...(corpus === undefined ? [] : [describeCorpus(corpus)])].join("\n\n"),
    );
  const unreadable = (corpus ?? []).filter(({ failed }) => failed > 0).map(({ type }) => type);
  const failures = new Set([...failuresOf(checks, options), ...unreadable]).size;
  if (failures > 0)
    throw new ExitError(EXIT.failed, `The check failed for ${counted(failures, "event type")}.`);
}

/** @throws ExitError, UsageError */
function readLockFile(path: string): CatalogueLock {
  if (!existsSync(path))
    throw new UsageError(
      `There is no lock ${path}. ${commandOf("schemas", "lock")} writes one, to be checked in.`,
    );
  return readLockText(path, readFileSync(path, "utf8"));
}

function readLockText(path: string, text: string): CatalogueLock {
  try {
    return readLock(text);
  } catch (error) {
    if (!(error instanceof CatalogueLockError)) throw error;
    throw new ExitError(EXIT.failed, `${path}: ${error.message}`, { cause: error });
  }
}

async function readCorpus(
  data: string,
  catalogue: EventCatalogue,
  size: number,
): Promise<readonly CorpusVersion[]> {
  let corpus: readonly CorpusVersion[] = [];
  await withMigratedDatabase(data, "events", async (database) => {
    corpus = await checkCorpus(database, catalogue, size);
  });
  return corpus;
}

function reportOf(types: readonly TypeCheck[]) {
  const { breaks, newDataBreaks, undecided } = countOf(types);
  return { breaks, newDataBreaks, undecided, types };
}

function countOf(types: readonly TypeCheck[]) {
  return {
    breaks: types.filter(({ oldData }) => isBreak(oldData)).length,
    newDataBreaks: types.filter(({ newData }) => isBreak(newData)).length,
    undecided: types.filter(({ oldData }) => oldData.verdict === "undecided").length,
  };
}

function failuresOf(types: readonly TypeCheck[], { oldConsumers, strict }: CheckOptions): readonly string[] {
  const failed = types.filter(
    ({ oldData, newData }) =>
      isBreak(oldData) ||
      (oldConsumers && isBreak(newData)) ||
      (strict && oldData.verdict === "undecided") ||
      (strict && oldConsumers && newData.verdict === "undecided"),
  );
  return failed.map(({ type }) => type);
}
