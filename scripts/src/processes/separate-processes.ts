import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { reservePorts } from "@synap/cli/all-in-one/ports.ts";
import { productionCommands } from "./production-commands.ts";
import { type RunningCommand, runCommand, runSynapCommand } from "./run-command.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const HOST = "127.0.0.1";

/** Synap's processes by name; `broker` is the local broker. A second API is `api-2`. */
export type ProcessName = "broker" | `${"api" | "worker"}${"" | `-${number}`}`;

export interface SeparateProcessesOptions {
  /** A TimescaleDB server. */
  readonly databaseUrl: string;
  /** Database for the migration, when the others reach it through a proxy. Default: `databaseUrl`. */
  readonly migrationUrl?: string;
  readonly apis?: number;
  readonly workers?: number;
  /**
   * Makes the origin under which the broker reaches the workers, given their ports. Default: the first one's own. The
   * broker knows one address of an app: several workers need a load balancer in front of them.
   */
  readonly workerOrigin?: (ports: readonly [number, ...number[]]) => Promise<string>;
  /** Runs the TypeScript sources instead of the production bundles, which then need not have been built. */
  readonly fromSource?: boolean;
  /** Runs the commands of an application's own images, each in its folder. */
  readonly images?: Readonly<
    Record<"migrate" | "api" | "worker", { readonly folder: string; readonly command: readonly string[] }>
  >;
  /** Keeps a Ctrl-C in the terminal from reaching them; they are killed when this process exits. */
  readonly detached?: boolean;
  /** Variables for one of them, beside those that all have. */
  readonly environmentOf?: (name: ProcessName) => Readonly<Record<string, string>>;
}

const SOURCES = {
  migrate: "apps/cli/src/migrate-main.ts",
  api: "apps/api/src/main.ts",
  worker: "apps/worker/src/main.ts",
};

/** APIs and workers as in production, and the local broker, each as a separate process. */
export class SeparateProcesses {
  /** The first API. */
  readonly apiUrl: string;
  readonly apiUrls: readonly [string, ...string[]];
  /** The first worker. */
  readonly workerUrl: string;
  readonly names: readonly ProcessName[];
  readonly #options: SeparateProcessesOptions;
  readonly #ports: ReadonlyMap<ProcessName, number>;
  readonly #workerOrigin: string;
  readonly #keys = { event: randomBytes(16).toString("hex"), signing: randomBytes(32).toString("hex") };
  readonly #running = new Map<ProcessName, RunningCommand>();

  /**
   * Migrates the database, starts all processes, and resolves once every API is ready.
   *
   * @param options a server's URL alone stands for one API and one worker, run from their bundles
   */
  static async start(options: string | SeparateProcessesOptions): Promise<SeparateProcesses> {
    const all = await SeparateProcesses.#create(
      typeof options === "string" ? { databaseUrl: options } : options,
    );
    await all.#migrate();
    try {
      const broker = all.run("broker");
      for (const name of all.names) if (name.startsWith("worker")) all.run(name);
      // An event that comes before the functions are known would start none.
      await broker.waitFor(/inngest-local listens on/, 60_000);
      for (const name of all.names) if (name.startsWith("api")) all.run(name);
      await all.ready();
      return all;
    } catch (error) {
      await all.stop();
      throw error;
    }
  }

  static async #create(options: SeparateProcessesOptions): Promise<SeparateProcesses> {
    const names: ProcessName[] = [
      ...numbered("api", options.apis ?? 1),
      ...numbered("worker", options.workers ?? 1),
      "broker",
    ];
    const wanted = names.map((name) => ({ name, port: 0, option: "" }));
    const reserved = await reservePorts(wanted, HOST);
    const ports = new Map(names.map((name, index) => [name, reserved[index] ?? 0]));
    const portsOf = (kind: string) =>
      names.filter((name) => name.startsWith(kind)).map((name) => ports.get(name) ?? 0);
    const [firstWorker = 0, ...otherWorkers] = portsOf("worker");
    const workerOrigin =
      (await options.workerOrigin?.([firstWorker, ...otherWorkers])) ?? `http://${HOST}:${firstWorker}`;
    return new SeparateProcesses(options, names, ports, workerOrigin);
  }

  private constructor(
    options: SeparateProcessesOptions,
    names: readonly ProcessName[],
    ports: ReadonlyMap<ProcessName, number>,
    workerOrigin: string,
  ) {
    this.#options = options;
    this.names = names;
    this.#ports = ports;
    this.#workerOrigin = workerOrigin;
    const urlOf = (name: ProcessName) => `http://${HOST}:${ports.get(name) ?? 0}`;
    this.apiUrl = urlOf("api");
    this.workerUrl = urlOf("worker");
    if (options.detached === true) process.once("exit", () => this.#killAll());
    this.apiUrls = [this.apiUrl, ...names.filter((name) => name.startsWith("api-")).map(urlOf)];
  }

  async #migrate(): Promise<void> {
    const { databaseUrl, migrationUrl = databaseUrl } = this.#options;
    const migration = this.#command("migrate", { ...this.#environment("api"), DATABASE_URL: migrationUrl });
    const code = await migration.ended;
    if (code !== 0) throw new Error(`The migration exited with ${code}:\n${migration.output()}`);
  }

  #environment(name: ProcessName): Record<string, string> {
    return {
      DATABASE_URL: this.#options.databaseUrl,
      INNGEST_BASE_URL: `http://${HOST}:${this.#ports.get("broker") ?? 0}`,
      INNGEST_EVENT_KEY: this.#keys.event,
      INNGEST_SIGNING_KEY: this.#keys.signing,
      LOG_LEVEL: "warn",
      ...(name.startsWith("api") && { SYNAP_API_PORT: String(this.#ports.get(name) ?? 0) }),
      ...(name.startsWith("worker") && {
        SYNAP_WORKER_PORT: String(this.#ports.get(name) ?? 0),
        INNGEST_SERVE_ORIGIN: this.#workerOrigin,
      }),
      ...this.#options.environmentOf?.(name),
    };
  }

  #command(program: "migrate" | "api" | "worker", env: Record<string, string>): RunningCommand {
    const { fromSource = false, images } = this.#options;
    if (images !== undefined) {
      const { folder, command } = images[program];
      return runCommand(command, [], { ...this.#start(env), cwd: folder });
    }
    return runCommand(fromSource ? SOURCES[program] : productionCommands[program], [], this.#start(env));
  }

  #start(env: Record<string, string>): { env: Record<string, string>; detached: boolean } {
    return { env, detached: this.#options.detached ?? false };
  }

  /** Starts one of them; does not wait until it is ready. */
  run(name: ProcessName): RunningCommand {
    const env = this.#environment(name);
    const command =
      name === "broker"
        ? this.#runBroker(env)
        : this.#command(name.startsWith("api") ? "api" : "worker", env);
    this.#running.set(name, command);
    return command;
  }

  #runBroker(env: Record<string, string>): RunningCommand {
    const address = [
      "--port",
      String(this.#ports.get("broker") ?? 0),
      "--app",
      `${this.#workerOrigin}/api/inngest`,
    ];
    // Short waits: Inngest's own first one is 15 to 45 s.
    const retries = ["--retry-ms", "500", "1000", "2000", "4000", "8000"];
    return runSynapCommand(["inngest-local", ...address, ...retries], this.#start(env));
  }

  /** The process id of one of them. */
  pidOf(name: ProcessName): number {
    const pid = this.#running.get(name)?.child.pid;
    if (pid === undefined) throw new Error(`${name} was not started.`);
    return pid;
  }

  /** SIGKILL to one of them. Resolves once it is gone. */
  async kill(name: ProcessName): Promise<void> {
    const command = this.#running.get(name);
    command?.child.kill("SIGKILL");
    await command?.ended;
  }

  /** SIGTERM to one of them, as a deployment does. Resolves with its exit code once it is gone. */
  async end(name: ProcessName): Promise<number | string | undefined> {
    const command = this.#running.get(name);
    command?.child.kill("SIGTERM");
    return command?.ended;
  }

  #killAll(): void {
    for (const { child } of this.#running.values()) child.kill("SIGKILL");
  }

  /** SIGSTOP: the process keeps its connections and does nothing, until `resume`. */
  freeze(name: ProcessName): void {
    this.#running.get(name)?.child.kill("SIGSTOP");
  }

  resume(name: ProcessName): void {
    this.#running.get(name)?.child.kill("SIGCONT");
  }

  /** Those that have ended, with what they printed last. */
  ended(): string[] {
    return [...this.#running]
      .filter(([, { child }]) => child.exitCode !== null || child.signalCode !== null)
      .map(([name, command]) => `${name}:\n${command.output().slice(-3_000)}`);
  }

  /** Resolves once every API has reported that it, its database and the broker are ready. */
  async ready(ms = 60_000): Promise<void> {
    await this.#until(() => this.isReady(), ms);
  }

  async isReady(): Promise<boolean> {
    return answerOk(this.apiUrls.map((url) => `${url}/readyz`));
  }

  /** Resolves once every worker listens. One that is still starting would end with the signal, and not with 0, when stopped. */
  async workersListen(ms = 60_000): Promise<void> {
    const workers = this.names.filter((name) => name.startsWith("worker"));
    const addresses = workers.map((name) => `http://${HOST}:${this.#ports.get(name) ?? 0}/healthz`);
    await this.#until(() => answerOk(addresses), ms);
  }

  async #until(isTrue: () => Promise<boolean>, ms: number): Promise<void> {
    const deadline = performance.now() + ms;
    while (!(await isTrue())) {
      if (performance.now() > deadline) throw new Error(`Not ready in ${ms} ms.\n${this.outputs()}`);
      await sleep(50);
    }
  }

  /** Stops all in order, as in production. Resolves with their exit codes. */
  async stop(): Promise<Partial<Record<ProcessName, number | string>>> {
    const codes: Partial<Record<ProcessName, number | string>> = {};
    for (const kind of ["api", "broker", "worker"]) {
      const names = this.names.filter((name) => name.startsWith(kind));
      await Promise.all(
        names.map(async (name) => {
          const command = this.#running.get(name);
          if (command === undefined) return;
          command.child.kill("SIGTERM");
          const force = setTimeout(() => command.child.kill("SIGKILL"), 20_000);
          codes[name] = await command.ended;
          clearTimeout(force);
        }),
      );
    }
    this.#running.clear();
    return codes;
  }

  /** Last output of each, shown when a test fails. */
  outputs(): string {
    return [...this.#running]
      .map(([name, command]) => `--- ${name}\n${command.output().slice(-2_000)}`)
      .join("\n");
  }
}

async function answerOk(addresses: readonly string[]): Promise<boolean> {
  const responses = addresses.map(async (address) => {
    const response = await fetch(address, { signal: AbortSignal.timeout(2_000) });
    return response.ok;
  });
  return (await Promise.allSettled(responses)).every((one) => one.status === "fulfilled" && one.value);
}

function numbered<Kind extends "api" | "worker">(kind: Kind, count: number): (Kind | `${Kind}-${number}`)[] {
  return Array.from({ length: count }, (_, index) =>
    index === 0 ? kind : (`${kind}-${index + 1}` as const),
  );
}

/** Builds the bundles that the production commands run. */
export function buildBundles(): void {
  for (const room of ["apps/api", "apps/worker", "apps/cli"]) {
    execFileSync("npx", ["-y", "pnpm@12", "run", "build"], {
      cwd: join(root, room),
      stdio: ["ignore", "ignore", "pipe"],
    });
  }
}
