import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A server in a separate process, so that it shares no event loop with its load. */
export interface ServerProcess {
  /** Without a trailing slash. */
  readonly url: string;
  /** Asks the process a question and gives its answer. */
  ask(question: string): Promise<unknown>;
  stop(): Promise<void>;
}

/**
 * Starts a module of this folder as a server. It reports its address with `serveParent`, and ends with this process.
 *
 * @throws Error when it ends before it has reported its address
 */
export async function startServerProcess(
  module: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), [], {
    execArgv: ["--import", "tsx"],
    env: { ...process.env, ...environment },
  });
  const url = String(await nextMessage(child, module));
  return {
    url,
    ask: (question) => {
      child.send(question);
      return nextMessage(child, module);
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.disconnect();
      const force = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(force);
    },
  };
}

function nextMessage(child: ChildProcess, module: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`${module} ended with ${code}`));
    child.once("exit", onExit);
    child.once("message", (message) => {
      child.off("exit", onExit);
      resolve(message);
    });
  });
}

/** Runs in the server process: sends the parent its address, answers its requests, and ends when the parent disconnects. */
export function serveParent(
  url: string,
  { answer = () => null, stop }: { answer?: (question: unknown) => unknown; stop: () => Promise<void> },
): void {
  process.on("message", async (question) => process.send?.(await answer(question)));
  process.on("disconnect", () => void stop().finally(() => process.exit(0)));
  // Ctrl-C meets every process of the terminal; the parent decides.
  process.on("SIGINT", () => undefined);
  process.send?.(url);
}
