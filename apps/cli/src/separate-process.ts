import { commandOf, SYNAP_COMMAND } from "@synap/service/called-as";
import { Command } from "commander";
import { configOption } from "./terminal/command.ts";
import { helpText } from "./terminal/help-text.ts";

/**
 * The command line of a process that is set up by environment variables.
 *
 * @param run loads the process, which starts at once
 */
export function separateProcessCommand(
  name: "api" | "worker",
  description: string,
  run: () => Promise<unknown>,
): Command {
  return new Command(name)
    .description(description)
    .addOption(configOption())
    .action(async ({ config }: { readonly config?: string }) => {
      if (config !== undefined) process.env["SYNAP_CONFIG"] = config;
      await run();
    })
    .addHelpText(
      "after",
      helpText({
        environment: [
          ["DATABASE_URL", "the TimescaleDB server"],
          [
            "DATABASE_DIRECT_URL",
            "the same database past a connection pooler, if DATABASE_URL leads through one",
          ],
          ["INNGEST_BASE_URL", "the Inngest server or the local broker"],
          ["INNGEST_EVENT_KEY", "key of those who send events to Inngest"],
          ["INNGEST_SIGNING_KEY", "key of the worker"],
          ["LOG_LEVEL", "debug, info, warn or error"],
          ["SYNAP_...", `addresses, tokens and limits: ${SYNAP_COMMAND} help settings`],
        ],
        examples: [[`DATABASE_URL=postgres://... INNGEST_BASE_URL=http://127.0.0.1:8288 ${commandOf(name)}`]],
        exitCodes: ["done", "failed", "usage", "interrupted"],
      }),
    );
}
