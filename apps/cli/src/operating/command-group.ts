import type { Command } from "commander";
import type { ExitCode } from "./exit-codes.ts";

/** Makes a group of commands, such as `dead-letters`; `endWith` sets the exit code of a command that went through. */
export type CommandGroup = (endWith: (code: ExitCode) => void) => Command;
