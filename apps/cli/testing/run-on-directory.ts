import type { Command } from "commander";
import { vi } from "vitest";
import { runProgram, setUpCommand } from "../src/terminal/program.ts";
import { runInProcess } from "./run-in-process.ts";

/** The exit code of a command, and what it printed. */
export interface DirectoryRun {
  readonly code: unknown;
  readonly lines: readonly string[];
  readonly text: string;
  readonly errors: string;
}

/** Runs a command of `synap` in this process on a data directory, without a server. The test unstubs the environment. */
export async function runOnDirectory(
  command: Command,
  directory: string,
  args: readonly string[],
): Promise<DirectoryRun> {
  vi.stubEnv("DATABASE_URL", "");
  const ready = setUpCommand(command, (rest) => `${command.name()} ${rest}`);
  const { code, out, errors } = await runInProcess(() => runProgram(ready, [...args, "--data", directory]));
  return { code, lines: out, text: out.join("\n"), errors: errors.join("\n") };
}
