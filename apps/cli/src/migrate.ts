#!/usr/bin/env node
// Brings the schema of the server at DATABASE_URL up to this release. Bundled, it is the command of the one-shot
// container that runs before the API and the worker. Event types come from the config.
import {
  describeExposures,
  HARDENING_STATEMENT,
  migrate,
  openDatabase,
  publishEventTypes,
} from "@synap/database";
import { loadConfig } from "@synap/synap";
import { Command } from "commander";

const { printHardening, config } = new Command("migrate")
  .description("Brings the schema of the TimescaleDB server at DATABASE_URL up to this release.")
  .option(
    "--print-hardening",
    "only print the SQL that an administrator runs where the migrating login may not do all of it",
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
The embedded database needs no migrate: npm start does it.

Example:
  DATABASE_URL=postgres://synap:PASSWORD@127.0.0.1:5432/synap npx -y pnpm@12 migrate`,
  )
  .parse()
  .opts<{ readonly printHardening: boolean; readonly config?: string }>();

if (printHardening) {
  console.log(HARDENING_STATEMENT);
  process.exit(0);
}
const url = process.env["DATABASE_URL"];
if (!url) {
  console.error(
    "DATABASE_URL is not set. It names the server to migrate, for example postgres://synap:PASSWORD@127.0.0.1:5432/synap.\n" +
      'The embedded database needs no command: "npm start" migrates it.',
  );
  process.exit(1);
}
try {
  const { catalogue, migrations } = (await loadConfig({ path: config ?? process.env["SYNAP_CONFIG"] }))
    .application;
  const database = await openDatabase({ url });
  try {
    const report = await migrate(database, {
      applications: migrations,
      onApplied: (name) => console.log(`applied ${name}`),
    });
    const types = await publishEventTypes(database, catalogue);
    const done =
      report.applied.length === 0 ? "nothing to do" : `${report.applied.length} migrations applied`;
    if (types.length > 0) console.log(`wrote ${types.length} event types`);
    console.log(`${done}; TimescaleDB ${report.timescaledbVersion} (${report.edition} edition)`);
    if (report.exposures.length > 0) console.error(`warning: ${describeExposures(report.exposures)}`);
  } finally {
    await database.close();
  }
} catch (error) {
  if (!(error instanceof Error && "code" in error)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
