import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { dirname, extname, relative, resolve } from "node:path";
import { onStopSignal } from "@synap/service";
import { commandOf } from "@synap/service/called-as";
import type { Command } from "commander";
import { type StartOptions, startOptions } from "./all-in-one/start-options.ts";
import { importedFile } from "./dev/dev-channel.ts";
import { watchApplication } from "./dev/watch-application.ts";

/** The command line of `dev`, which passes its arguments on to `start`. */
export function devCommand(args: readonly string[]): Command {
  return startOptions(
    "dev",
    "The same as start, started again when the application's files change: its config and whatever that imports, and the SQL of " +
      "its migrations. Each restart is a graceful stop. If the config has an error, it waits for the next change.",
    [[commandOf("dev")], [commandOf("dev", "--port 8080 --config src/synap.config.ts")]],
  ).action((options: StartOptions) => dev(options, args));
}

async function dev({ config }: StartOptions, args: readonly string[]): Promise<void> {
  const folder = config ? dirname(resolve(config)) : process.cwd();
  /** Files of the application when it last ran. */
  const imported = new Set<string>();
  /** Files changed since the current process was started. */
  const changed = new Set<string>();
  let isStopping = false;
  let child: ChildProcess | undefined;
  let wake = () => {};

  const restartFor = (file: string) => {
    // Without a running process the imports are unknown, so any change may fix the error.
    if (child !== undefined && !imported.has(file) && extname(file) !== ".sql") return;
    console.error(`\n${relative(process.cwd(), file)} changed.`);
    child?.kill("SIGTERM");
    wake();
  };
  const watch = await watchApplication(folder, (file) => {
    if (changed.has(file)) return;
    changed.add(file);
    restartFor(file);
  });
  onStopSignal((signal) => {
    isStopping = true;
    child?.kill(signal);
    wake();
  });

  while (!isStopping) {
    changed.clear();
    const current = fork(process.argv[1] ?? "", ["start", ...args]);
    child = current;
    current.on("message", (message) => {
      const file = importedFile(message);
      if (file === undefined || imported.has(file)) return;
      imported.add(file);
      watch.add(file);
      if (changed.has(file)) restartFor(file);
    });
    const [code]: unknown[] = await once(current, "exit");
    child = undefined;
    if (isStopping) process.exitCode = code === 0 ? 0 : 1;
    else if (changed.size === 0) {
      console.error("\nNothing runs. Waiting for a change of the application's files; Ctrl-C ends it.");
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  await watch.close();
}
