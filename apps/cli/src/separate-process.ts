import { SYNAP_COMMAND } from "@synap/service/called-as";
import { Command } from "commander";
import { explainUsageErrors } from "./terminal/usage-errors.ts";

/**
 * Reads the command line of a process that is set up by environment variables, and then runs it.
 *
 * @param run loads the process, which starts at once
 */
export async function runSeparateProcess(
  name: "api" | "worker",
  description: string,
  run: () => Promise<unknown>,
): Promise<void> {
  const command = new Command(name)
    .description(description)
    .option(
      "--config <file>",
      "the application's config (default: SYNAP_CONFIG, or synap.config.ts, .mts, .js or .mjs, if there is one)",
    )
    .addHelpText(
      "after",
      `
Everything else is set by environment variables: DATABASE_URL, INNGEST_BASE_URL, its keys, and those in
docs/running-in-production.md.

Example:
  DATABASE_URL=postgres://... INNGEST_BASE_URL=http://127.0.0.1:8288 ${SYNAP_COMMAND} ${name}`,
    )
    .action(async ({ config }: { readonly config?: string }) => {
      if (config !== undefined) process.env["SYNAP_CONFIG"] = config;
      await run();
    });
  await explainUsageErrors(command, `${SYNAP_COMMAND} ${name}`).parseAsync();
}
