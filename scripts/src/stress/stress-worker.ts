import { type ChildProcess, fork } from "node:child_process";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type ProcessPlan, type Progress, progressSchema } from "./stress-plan.ts";

const SCRIPT = fileURLToPath(new URL("./stress-process.ts", import.meta.url));
const LOADER = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

/** A process of the run failed without being killed. */
export class StressProcessError extends Error {
  override readonly name = "StressProcessError";
  readonly code = "STRESS_PROCESS_FAILED";
}

/** One process of a run, across its restarts. */
export class StressWorker {
  readonly name: string;
  readonly #plan: ProcessPlan;
  readonly #onProgress: (progress: Progress) => void;
  #child: ChildProcess | undefined;
  #restarts = 0;
  #ended: Promise<void> = Promise.resolve();
  #isKilled = false;
  #failure: StressProcessError | undefined;
  #ready: Promise<void> = Promise.resolve();

  constructor(plan: ProcessPlan, onProgress: (progress: Progress) => void) {
    this.name = plan.name;
    this.#plan = plan;
    this.#onProgress = onProgress;
  }

  /** Number of kills and restarts. */
  get restarts(): number {
    return this.#restarts;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  start(): void {
    const plan: ProcessPlan = { ...this.#plan, restarts: this.#restarts };
    const child = fork(SCRIPT, [JSON.stringify(plan)], {
      execArgv: ["--import", LOADER],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let complaint = "";
    child.stderr?.on("data", (chunk) => {
      complaint = `${complaint}${String(chunk)}`.slice(-4_000);
    });
    child.on("message", (message) => this.#onProgress(progressSchema.parse(message)));
    this.#ready = new Promise((resolve) => child.once("message", () => resolve()));
    this.#child = child;
    this.#isKilled = false;
    this.#ended = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        this.#child = undefined;
        if (!this.#isKilled && code !== 0) {
          this.#failure = new StressProcessError(`${this.name} ended with ${code ?? signal}:\n${complaint}`);
        }
        resolve();
      });
    });
  }

  /** Resolves once it has opened the database. @throws StressProcessError when it failed */
  async ready(): Promise<void> {
    await Promise.race([this.#ready, this.#ended]);
    this.check();
  }

  /** Kills it with SIGKILL and restarts it after a pause. @throws StressProcessError when it does not start */
  async killAndRestart(pauseMs: number): Promise<void> {
    await this.kill();
    await sleep(pauseMs);
    this.#restarts += 1;
    this.start();
    await this.ready();
  }

  async kill(): Promise<void> {
    this.#isKilled = true;
    this.#child?.kill("SIGKILL");
    await this.#ended;
  }

  /** Sends it the end of the writing. */
  endWriting(): void {
    if (this.#child?.connected === true) this.#child.send("end");
  }

  /** Resolves once it has ended. @throws StressProcessError when it failed */
  async ended(): Promise<void> {
    await this.#ended;
    this.check();
  }

  /** @throws StressProcessError when it has failed */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
