import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** A command that runs as a separate process. */
export interface RunningCommand {
  readonly child: ChildProcess;
  /** Everything it printed so far, standard output and standard error in turn. */
  readonly output: () => string;
  readonly stdout: () => string;
  /** Resolves with the exit code, or the signal's name, once it has ended. */
  readonly ended: Promise<number | string>;
  /** Resolves with the match once the output has it. Rejects when the process ends first or the time is up. */
  waitFor(pattern: RegExp, ms?: number): Promise<RegExpMatchArray>;
}

/** Runs a command of `synap`. */
export function runSynapCommand(
  args: readonly string[],
  options: Parameters<typeof runCommand>[2] = {},
): RunningCommand {
  return runCommand("apps/cli/src/synap-cli.ts", args, options);
}

/**
 * Runs a TypeScript file of this repository with tsx, or a program (an array), in one process, so that a signal meets
 * the program itself and not a wrapper.
 *
 * @param options `detached`: Ctrl-C in the terminal does not reach it; `cwd`: default the root of the repository
 */
export function runCommand(
  command: string | readonly string[],
  args: readonly string[] = [],
  options: { env?: Record<string, string>; input?: string; detached?: boolean; cwd?: string } = {},
): RunningCommand {
  const [program = "", ...first] =
    typeof command === "string" ? [process.execPath, "--import", "tsx", join(root, command)] : command;
  const { DATABASE_URL: _url, DATABASE_DIRECT_URL: _directUrl, ...inherited } = process.env;
  const child = spawn(program, [...first, ...args], {
    cwd: options.cwd ?? root,
    env: { ...inherited, ...options.env },
    detached: options.detached ?? false,
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  if (options.input !== undefined) child.stdin?.end(options.input);
  let output = "";
  let stdout = "";
  const watchers = new Set<() => void>();
  const take = (chunk: unknown) => {
    output += String(chunk);
    for (const watch of watchers) watch();
  };
  child.stdout?.on("data", (chunk) => {
    stdout += String(chunk);
    take(chunk);
  });
  child.stderr?.on("data", take);
  let hasEnded = false;
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      hasEnded = true;
      resolve(code ?? signal ?? "unknown");
      for (const watch of watchers) watch();
    });
  });
  ended.catch(() => undefined);

  function waitFor(pattern: RegExp, ms = 60_000): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const finish = (error?: Error) => {
        watchers.delete(watch);
        clearTimeout(timer);
        if (error !== undefined) reject(new Error(`${error.message}\n${output}`));
      };
      const watch = () => {
        const match = output.match(pattern);
        if (match !== null) {
          finish();
          resolve(match);
        } else if (hasEnded) finish(new Error(`It ended without printing ${pattern}:`));
      };
      const timer = setTimeout(() => finish(new Error(`It did not print ${pattern} in ${ms} ms:`)), ms);
      watchers.add(watch);
      watch();
    });
  }
  return { child, output: () => output, stdout: () => stdout, ended, waitFor };
}
