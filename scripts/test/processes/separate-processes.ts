import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { reservePorts } from "../../src/synap/ports.ts";
import { productionCommands } from "./production-commands.ts";
import { type RunningCommand, runCommand } from "./run-command.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const HOST = "127.0.0.1";

/** Synap's processes by name; the broker is the stand-in, as a process of its own. */
export type ProcessName = "api" | "worker" | "broker";

/** The API and the worker as in production, and the stand-in for Inngest, each a process of its own. */
export class SeparateProcesses {
  readonly apiUrl: string;
  readonly #environment: Record<string, string>;
  readonly #brokerArguments: string[];
  readonly #running = new Map<ProcessName, RunningCommand>();

  /**
   * Migrates the database with the production command and starts the three. The bundles must have been built.
   *
   * @param databaseUrl a TimescaleDB server
   */
  static async start(databaseUrl: string): Promise<SeparateProcesses> {
    const wanted = ["API", "worker", "broker"].map((name) => ({ name, port: 0, option: "" }));
    const [api = 0, worker = 0, broker = 0] = await reservePorts(wanted, HOST);
    const all = new SeparateProcesses(databaseUrl, { api, worker, broker });
    const migration = runCommand(productionCommands.migrate, [], { env: all.#environment });
    const code = await migration.ended;
    if (code !== 0) throw new Error(`The migration exited with ${code}:\n${migration.output()}`);
    try {
      const broker = all.run("broker");
      all.run("worker");
      // An event that comes before the functions are known would start none.
      await broker.waitFor(/inngest-local listens on/, 60_000);
      all.run("api");
      await all.ready();
      return all;
    } catch (error) {
      await all.stop();
      throw error;
    }
  }

  private constructor(databaseUrl: string, ports: { api: number; worker: number; broker: number }) {
    this.apiUrl = `http://${HOST}:${ports.api}`;
    this.#brokerArguments = [
      "--port",
      String(ports.broker),
      "--app",
      `http://${HOST}:${ports.worker}/api/inngest`,
    ];
    this.#environment = {
      DATABASE_URL: databaseUrl,
      INNGEST_BASE_URL: `http://${HOST}:${ports.broker}`,
      INNGEST_DEV: "1",
      SYNAP_API_PORT: String(ports.api),
      SYNAP_WORKER_PORT: String(ports.worker),
      LOG_LEVEL: "warn",
    };
  }

  /** Starts one of them; does not wait until it is ready. */
  run(name: ProcessName): RunningCommand {
    const options = { env: this.#environment };
    // Short waits: Inngest's own first one is 15 to 45 s.
    const retries = ["--retry-ms", "500", "1000", "2000", "4000", "8000"];
    const command =
      name === "broker"
        ? runCommand("scripts/src/inngest-local.ts", [...this.#brokerArguments, ...retries], options)
        : runCommand(productionCommands[name], [], options);
    this.#running.set(name, command);
    return command;
  }

  /** SIGKILL to one of them. Resolves once it is gone. */
  async kill(name: ProcessName): Promise<void> {
    const command = this.#running.get(name);
    command?.child.kill("SIGKILL");
    await command?.ended;
  }

  /** Which have ended, with what they printed last. */
  ended(): string[] {
    return [...this.#running]
      .filter(([, { child }]) => child.exitCode !== null || child.signalCode !== null)
      .map(([name, command]) => `${name}:\n${command.output().slice(-3_000)}`);
  }

  /** Resolves once the API says that it, its database and the broker are ready. */
  async ready(ms = 60_000): Promise<void> {
    const deadline = Date.now() + ms;
    while (!(await this.isReady())) {
      if (Date.now() > deadline) throw new Error(`Not ready in ${ms} ms.\n${this.outputs()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async isReady(): Promise<boolean> {
    try {
      const response = await fetch(`${this.apiUrl}/readyz`, { signal: AbortSignal.timeout(2_000) });
      return response.ok;
    } catch {
      return false;
    }
  }

  /** Stops all in order, as in production. Resolves with their exit codes. */
  async stop(): Promise<Partial<Record<ProcessName, number | string>>> {
    const codes: Partial<Record<ProcessName, number | string>> = {};
    for (const name of ["api", "broker", "worker"] as const) {
      const command = this.#running.get(name);
      command?.child.kill("SIGTERM");
      const force = setTimeout(() => command?.child.kill("SIGKILL"), 20_000);
      if (command !== undefined) codes[name] = await command.ended;
      clearTimeout(force);
    }
    this.#running.clear();
    return codes;
  }

  /** What each printed last, to be shown when a test fails. */
  outputs(): string {
    return [...this.#running]
      .map(([name, command]) => `--- ${name}\n${command.output().slice(-2_000)}`)
      .join("\n");
  }
}

/** Builds the bundles that the production commands run. */
export function buildBundles(): void {
  for (const room of ["apps/api", "apps/worker", "scripts"]) {
    execFileSync("npx", ["pnpm@12", "run", "build"], {
      cwd: join(root, room),
      stdio: ["ignore", "ignore", "pipe"],
    });
  }
}
