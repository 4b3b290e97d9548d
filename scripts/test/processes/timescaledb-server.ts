import { execFile, execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const SHARED_PORT = 54329;

const serverRoot = process.env["SYNAP_PG_ROOT"] ?? "/var/tmp/synap-timescaledb";

/** Whether a server of its own can be had here: .ci/timescaledb needs root on a Debian machine. */
export const canRunTimescaledb: boolean =
  process.platform === "linux" && process.getuid?.() === 0 && existsSync("/usr/bin/dpkg");

/** A TimescaleDB server that a test may kill, beside the one that all tests share. */
export class TimescaledbServer {
  readonly url: string;
  readonly #port: number;
  readonly #data: string;

  /** @param port not that of the shared server */
  constructor(port: number) {
    if (port === SHARED_PORT) throw new Error("The shared server is not for killing.");
    this.#port = port;
    this.#data = `/var/lib/postgresql/synap-faults-${port}`;
    this.url = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`;
  }

  start(): void {
    this.#run("start");
  }

  /** SIGKILL to every process of it. */
  kill(): void {
    this.#run("kill");
  }

  /** Stops it and removes its data. */
  remove(): void {
    try {
      this.#run("stop");
    } catch {
      // It was killed already.
    }
    rmSync(join(serverRoot, this.#data), { recursive: true, force: true });
  }

  #run(command: "start" | "kill" | "stop"): void {
    const env = { ...process.env, SYNAP_PG_PORT: String(this.#port), SYNAP_PG_DATA: this.#data };
    execFileSync(join(root, ".ci", "timescaledb"), [command], { env, stdio: ["ignore", "ignore", "pipe"] });
  }
}

/** Whether .ci/timescaledb has put PostgreSQL's programs into its folder: pg_dump, pg_restore, psql. */
export const hasPostgresPrograms: boolean = canRunTimescaledb && existsSync(join(serverRoot, ".installed"));

/**
 * Runs a bash script that uses PostgreSQL's programs, of the version of the servers, in a directory of its own inside
 * the folder of .ci/timescaledb. It stops at the first command that fails.
 */
export class PostgresShell {
  readonly #directory = `/tmp/${randomUUID()}`;

  constructor() {
    mkdirSync(join(serverRoot, this.#directory));
  }

  /** @returns what it printed. @throws Error with that, when a command failed */
  run(script: string, variables: Readonly<Record<string, string>>): Promise<string> {
    const path = `PATH=/usr/lib/postgresql/17/bin:/usr/bin:/bin`;
    const environment = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    const within = `set -euo pipefail; cd ${this.#directory}; exec 2>&1; ${script}`;
    return new Promise((resolve, reject) => {
      execFile(
        "chroot",
        [serverRoot, "/usr/bin/env", "-i", path, "LANG=C.UTF-8", ...environment, "/bin/bash", "-c", within],
        { maxBuffer: 16 * 1024 * 1024 },
        (error, output) => {
          if (error === null) resolve(output);
          else reject(new Error(`${script}\n${output}`, { cause: error }));
        },
      );
    });
  }

  remove(): void {
    rmSync(join(serverRoot, this.#directory), { recursive: true, force: true });
  }
}
