import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { StartError } from "./start-error.ts";

/** A running Inngest dev server. */
export interface InngestServer {
  readonly url: string;
  /** Resolves once it knows the worker's functions, so that no event is sent before. */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

/** The first run downloads a binary of some 50 MB. */
const START_PATIENCE_MS = 180_000;
const STOP_PATIENCE_MS = 5_000;

const ADVICE = `Its npm package (inngest-cli) downloads a program when it is installed, which needs access to the internet.
Without that:
  leave --inngest out: Synap's local broker speaks the same protocol, without the dashboard
  or give the address of an Inngest server that already runs: --inngest=http://HOST:8288`;

/**
 * Starts Inngest's own dev server, with its dashboard, through npx.
 *
 * @param appUrl URL of the worker's functions; the dev server polls it until it answers
 * @throws StartError `INNGEST_UNAVAILABLE` when it can't be installed or does not start
 */
export async function startInngestDevServer(options: {
  port: number;
  appUrl: string;
  /** Registers the worker's functions. */
  register: () => Promise<unknown>;
  verbose: boolean;
  signal: AbortSignal;
}): Promise<InngestServer> {
  const { port, appUrl, register, verbose, signal } = options;
  const url = `http://127.0.0.1:${port}`;
  const command = ["--yes", "inngest-cli@1", "dev", "--no-discovery", "-u", appUrl, "--port", String(port)];
  // In its own process group, because npx starts a shell that starts the program, and all of them must be stopped.
  const child = spawn("npx", command, {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: withoutColor(),
  });
  const said = collect(child, verbose);
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, byWhat) => resolve(`it ended with ${byWhat ?? `code ${code}`}`));
  });
  let reason: string | undefined;
  void ended.then((why) => {
    reason = why;
  });
  const patience = performance.now() + START_PATIENCE_MS;
  while (reason === undefined && performance.now() < patience && !signal.aborted) {
    if (await responses(url))
      return { url, ready: () => registered(register), stop: () => stopGroup(child, ended) };
    await Promise.race([sleep(250), ended]);
  }
  await stopGroup(child, ended);
  signal.throwIfAborted();
  throw new StartError(
    "INNGEST_UNAVAILABLE",
    `Inngest's dev server could not be started: ${reason ?? "it did not answer in three minutes"}.\n${said()}\n${ADVICE}`,
  );
}

/**
 * Checks that the Inngest server at the given address answers.
 *
 * @throws StartError `INNGEST_UNAVAILABLE`
 */
export async function findInngestServer(
  url: string,
  register: () => Promise<unknown>,
): Promise<InngestServer> {
  if (await responses(url)) return { url, ready: () => registered(register), stop: () => Promise.resolve() };
  throw new StartError(
    "INNGEST_UNAVAILABLE",
    `No Inngest server answers at ${url}. Start one (npx -y inngest-cli@1 dev), or leave --inngest out to use Synap's local broker.`,
  );
}

/** @throws StartError `INNGEST_UNAVAILABLE` when Inngest does not accept the worker's functions */
async function registered(register: () => Promise<unknown>): Promise<void> {
  try {
    await register();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new StartError("INNGEST_UNAVAILABLE", message, { cause });
  }
}

async function responses(url: string): Promise<boolean> {
  try {
    const response = await fetch(new URL("/health", url), { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

function withoutColor(): NodeJS.ProcessEnv {
  return { ...process.env, NO_COLOR: "1", DO_NOT_TRACK: "1" };
}

/** Keeps the last lines of a program's output, to show them if it fails. */
function collect(child: ChildProcess, verbose: boolean): () => string {
  let text = "";
  const take = (chunk: unknown) => {
    if (verbose) process.stderr.write(String(chunk));
    text = (text + String(chunk)).slice(-4_000);
  };
  child.stdout?.on("data", take);
  child.stderr?.on("data", take);
  return () =>
    text
      .trim()
      .split("\n")
      .slice(-8)
      .map((line) => `  | ${line.slice(0, 200)}`)
      .join("\n");
}

async function stopGroup(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.pid === undefined) return;
  signalGroup(child.pid, "SIGINT");
  const timer = setTimeout(() => signalGroup(child.pid ?? 0, "SIGKILL"), STOP_PATIENCE_MS);
  await ended;
  clearTimeout(timer);
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  if (pid === 0) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended already.
  }
}
