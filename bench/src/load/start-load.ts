import { fork } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type LoadPlan, type LoadTally, loadMessageSchema, type SentBatch } from "./load-plan.ts";

/** A process that makes load. */
export interface Load {
  readonly pid: number;
  /** Totals so far. */
  tally(): LoadTally;
  /** Begins. Resolves when the load is over and every request is answered. @throws LoadError */
  run(): Promise<FinishedLoad>;
  kill(): void;
}

/** Totals of a load. */
export interface FinishedLoad {
  readonly tally: LoadTally;
  readonly batches: readonly SentBatch[];
}

/** The process that makes the load failed. */
export class LoadError extends Error {
  override readonly name = "LoadError";
  readonly code = "LOAD_FAILED";
}

const SCRIPT = fileURLToPath(new URL("./load-process.ts", import.meta.url));
const LOADER = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

/** Starts a process for a load, and waits until it could begin at once. @throws LoadError */
export async function prepareLoad(plan: LoadPlan, signal: AbortSignal): Promise<Load> {
  const child = fork(SCRIPT, [JSON.stringify(plan)], {
    execArgv: ["--import", LOADER],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    signal,
  });
  let complaint = "";
  child.stderr?.on("data", (chunk) => {
    complaint = `${complaint}${String(chunk)}`.slice(-4_000);
  });
  let tally: LoadTally = { accepted: 0, shed: 0, shedWithoutRetryAfter: 0, failed: 0, unsent: 0 };
  let isReady = () => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  const finished = new Promise<FinishedLoad>((resolve, reject) => {
    child.on("message", (message) => {
      const received = loadMessageSchema.parse(message);
      if (received.kind === "ready") return isReady();
      tally = received.tally;
      if (received.kind === "done") resolve(received);
    });
    const fail = (why: unknown) => reject(new LoadError(`The load ended: ${String(why)}\n${complaint}`));
    child.once("error", fail);
    child.once("close", (code) => fail(`exit code ${code}`));
  });
  // Whoever never runs the load does not wait for its end either.
  finished.catch(() => undefined);
  await Promise.race([ready, finished]);
  return {
    pid: child.pid ?? 0,
    tally: () => tally,
    run: () => {
      child.send("begin");
      return finished;
    },
    kill: () => void child.kill("SIGKILL"),
  };
}
