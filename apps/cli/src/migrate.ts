#!/usr/bin/env node
// Brings the schema of the server at DATABASE_URL up to this release. Bundled, it is the command of the one-shot
// container that runs before the API and the worker. Event types come from the config.
import { type Database, migrate, openDatabase } from "@synap/database";
import {
  describeExposures,
  HARDENING_STATEMENT,
  pendingMigrations,
  syncEventTypes,
} from "@synap/database/internal";
import type { Composition } from "@synap/handlers";
import { START_COMMAND, SYNAP_COMMAND } from "@synap/service/called-as";
import { loadConfig } from "@synap/synap";
import { counted } from "@synap/types/internal";
import { Command } from "commander";
import { warnOfUnknownSettings } from "./terminal/command.ts";
import { explainUsageErrors } from "./terminal/usage-errors.ts";

const { printHardening, check, config } = explainUsageErrors(
  new Command("migrate"),
  `${SYNAP_COMMAND} migrate`,
)
  .description("Brings the schema of the TimescaleDB server at DATABASE_URL up to this release.")
  .option("--print-hardening", "only print the SQL with which an administrator hardens the database", false)
  .option(
    "--check",
    "change nothing: name what is not applied, of this release and of the application, and exit 1 if there is something",
    false,
  )
  .option(
    "--config <file>",
    "the application's config (default: SYNAP_CONFIG, or synap.config.ts, .mts, .js or .mjs, if there is one)",
  )
  .addHelpText(
    "after",
    `
Environment: DATABASE_URL (the login owns the schema), SYNAP_CONFIG (the application's config).
The embedded database needs no migrate: ${START_COMMAND} does it.

Example:
  DATABASE_URL=postgres://synap:PASSWORD@127.0.0.1:5432/synap ${SYNAP_COMMAND} migrate`,
  )
  .parse()
  .opts<{ readonly printHardening: boolean; readonly check: boolean; readonly config?: string }>();

if (printHardening) {
  console.log(HARDENING_STATEMENT);
  process.exit(0);
}
warnOfUnknownSettings();
const url = process.env["DATABASE_URL"];
if (!url) {
  console.error(
    "DATABASE_URL is not set. It names the server to migrate, for example postgres://synap:PASSWORD@127.0.0.1:5432/synap.\n" +
      `The embedded database needs no command: "${START_COMMAND}" migrates it.`,
  );
  process.exit(1);
}
try {
  const { application } = await loadConfig({ path: config ?? process.env["SYNAP_CONFIG"] });
  const database = await openDatabase({ url });
  try {
    if (check) await nameWhatIsMissing(database, application);
    else await apply(database, application);
  } finally {
    await database.close();
  }
} catch (error) {
  if (!(error instanceof Error && "code" in error)) throw error;
  console.error(error.message);
  process.exitCode = 1;
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
  if (pending.length > 0) process.exitCode = 1;
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
