import { type Database, migrate, openDatabase } from "@synap/database";
import {
  describeExposures,
  HARDENING_STATEMENT,
  pendingMigrations,
  syncEventTypes,
} from "@synap/database/internal";
import type { Composition } from "@synap/handlers";
import { commandOf, START_COMMAND } from "@synap/service/called-as";
import { EXIT, UsageError } from "@synap/service/exit-codes";
import { readServerUrls } from "@synap/service/server-urls";
import { loadConfig } from "@synap/synap";
import { counted } from "@synap/types/internal";
import { Command } from "commander";
import { configOption, warnOfUnknownSettings } from "./terminal/command.ts";
import { helpText } from "./terminal/help-text.ts";

interface MigrateOptions {
  readonly printHardening: boolean;
  readonly check: boolean;
  readonly config?: string;
}

/** The command line of `migrate`. */
export function migrateCommand(): Command {
  return new Command("migrate")
    .description("Brings the schema of the TimescaleDB server at DATABASE_URL up to this release.")
    .option("--print-hardening", "only print the SQL with which an administrator hardens the database", false)
    .option(
      "--check",
      "change nothing: name what is not applied, of this release and of the application, and exit 1 if there is something",
      false,
    )
    .addOption(configOption())
    .action(run)
    .addHelpText(
      "after",
      helpText({
        notes: [`The embedded database needs no migrate: ${START_COMMAND} does it.`],
        environment: [
          ["DATABASE_URL", "the server; the login must own the schema"],
          [
            "DATABASE_DIRECT_URL",
            "the same database past a connection pooler, if DATABASE_URL leads through one",
          ],
        ],
        examples: [[`DATABASE_URL=postgres://synap:PASSWORD@127.0.0.1:5432/synap ${commandOf("migrate")}`]],
        exitCodes: ["done", "failed", "usage"],
      }),
    );
}

async function run({ printHardening, check, config }: MigrateOptions): Promise<void> {
  if (printHardening) return console.log(HARDENING_STATEMENT);
  warnOfUnknownSettings();
  const server = readServerUrls(process.env);
  if (server === undefined) {
    throw new UsageError(
      "DATABASE_URL is not set. It names the server to migrate, for example postgres://synap:PASSWORD@127.0.0.1:5432/synap.\n" +
        `The embedded database needs no command: "${START_COMMAND}" migrates it.`,
    );
  }
  const { application } = await loadConfig({ path: config });
  const database = await openDatabase(server);
  try {
    if (check) await nameWhatIsMissing(database, application);
    else await apply(database, application);
  } finally {
    await database.close();
  }
}

/** Exits with 1 if a migration is not applied, so that a deployment can check. */
async function nameWhatIsMissing(database: Database, { migrations }: Composition): Promise<void> {
  const pending = await pendingMigrations(database, { applications: migrations });
  for (const { ledger, name } of pending) console.log(`not applied: ${ledger}/${name}`);
  console.log(
    pending.length === 0
      ? "nothing to do"
      : `${counted(pending.length, "migration is", "migrations are")} not applied`,
  );
  if (pending.length > 0) process.exitCode = EXIT.failed;
}

async function apply(database: Database, { catalogue, migrations }: Composition): Promise<void> {
  const report = await migrate(database, {
    applications: migrations,
    onApplied: (name, ledger) => console.log(`applied ${ledger}/${name}`),
  });
  const types = await syncEventTypes(database, catalogue);
  const done =
    report.applied.length === 0 ? "nothing to do" : `${counted(report.applied.length, "migration")} applied`;
  if (types.length > 0) console.log(`wrote ${counted(types.length, "event type")}`);
  console.log(`${done}; TimescaleDB ${report.timescaledbVersion} (${report.edition} edition)`);
  if (report.exposures.length > 0) console.error(`warning: ${describeExposures(report.exposures)}`);
}
