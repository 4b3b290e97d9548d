import { apiVariables } from "@synap/api";
import { SYNAP_COMMAND } from "@synap/service/called-as";
import { SETTING_MEANINGS } from "@synap/service/environment-names";
import { workerVariables } from "@synap/worker";
import { Command } from "commander";
import { type HelpRow, helpText } from "./terminal/help-text.ts";
import { setUpCommand } from "./terminal/program.ts";

/** Schemas of the settings that have a default, by name. */
const schemas = { ...apiVariables.shape, ...workerVariables.shape };

/** The page of `synap help settings`: every environment variable of Synap's processes, with its default. */
export function settingsHelp(): Command {
  const command = new Command("settings")
    .description(
      "The settings of all processes are environment variables. Times are in milliseconds, sizes in bytes.",
    )
    .usage("")
    .helpOption(false)
    .addHelpText("after", helpText({ lists: { Settings: Object.entries(SETTING_MEANINGS).map(describe) } }));
  return setUpCommand(command, () => `${SYNAP_COMMAND} help settings`);
}

function describe([name, meaning]: readonly [string, string]): HelpRow {
  const schema = Object.entries(schemas).find(([each]) => each === name)?.[1];
  const value = schema?.safeParse(undefined).data;
  return [name, value === undefined ? meaning : `${meaning} (default: ${value})`];
}
