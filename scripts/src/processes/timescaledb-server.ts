import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../..", import.meta.url));
const SHARED_PORT = 54329;

const serverRoot = process.env["SYNAP_PG_ROOT"] ?? "/var/tmp/synap-timescaledb";

/** True when a separate server can be run here: .ci/timescaledb needs root on a Debian machine. */
export const canRunTimescaledb: boolean =
  process.platform === "linux" && process.getuid?.() === 0 && existsSync("/usr/bin/dpkg");

export interface TimescaledbServerOptions {
  /**
   * Keeps the data on a separate file system of this size, in MiB, which `fillDisk` can fill. It is in memory: a
   * killed server finds its data again, a machine that loses its power does not.
   */
  readonly diskMiB?: number;
}

/** A TimescaleDB server that may be killed, beside the one that all tests share. */
export class TimescaledbServer {
  readonly url: string;
  /** Its data directory, inside the folder of .ci/timescaledb. */
  readonly data: string;
  readonly #port: number;
  readonly #diskMiB: number | undefined;

  /** @param port not that of the shared server */
  constructor(port: number, { diskMiB }: TimescaledbServerOptions = {}) {
    if (port === SHARED_PORT) throw new Error("The shared server must not be killed.");
    this.#port = port;
    this.data = `/var/lib/postgresql/synap-faults-${port}`;
    this.#diskMiB = diskMiB;
    this.url = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`;
  }

  /** Installs TimescaleDB if it must, and resolves once the server answers. */
  async start(): Promise<void> {
    if (this.#diskMiB !== undefined && !(await this.#isMounted())) {
      await this.#run("install");
      mkdirSync(this.#path, { recursive: true });
      await run("mount", ["-t", "tmpfs", "-o", `size=${this.#diskMiB}m`, "tmpfs", this.#path]);
    }
    await this.#run("start");
  }

  /** SIGKILL to every process of it. */
  async kill(): Promise<void> {
    await this.#run("kill");
  }

  async responses(): Promise<boolean> {
    return this.#run("status").then(
      () => true,
      () => false,
    );
  }

  /** Leaves next to no room on the server's disk. PostgreSQL then refuses to write, or ends itself. */
  async fillDisk(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const { blocks, bfree, bsize } = statfsSync(this.#path);
      // Refused when the server has written more than that meanwhile.
      const sizeKiB = Math.ceil(((blocks - bfree) * bsize) / 1024) + 64 * attempt;
      try {
        return await this.#resizeDisk(`${sizeKiB}k`);
      } catch (error) {
        if (attempt === 50) throw error;
      }
    }
  }

  async freeDisk(): Promise<void> {
    await this.#resizeDisk(`${this.#diskMiB}m`);
  }

  async #resizeDisk(size: string): Promise<void> {
    await run("mount", ["-o", `remount,size=${size}`, this.#path]);
  }

  /** Starts it again if it has ended, and resolves once it answers, also after a recovery. */
  async recover(ms = 120_000): Promise<void> {
    for (const deadline = performance.now() + ms; !(await this.responses()); ) {
      if (performance.now() > deadline) throw new Error(`The server on port ${this.#port} does not recover.`);
      // Refused while it still recovers.
      await this.#run("start").catch(() => sleep(250));
    }
  }

  /** Stops it and removes its data. */
  async remove(): Promise<void> {
    await this.#run("stop").catch(() => undefined);
    if (await this.#isMounted()) await run("umount", ["--lazy", this.#path]);
    rmSync(this.#path, { recursive: true, force: true });
  }

  get #path(): string {
    return join(serverRoot, this.data);
  }

  async #isMounted(): Promise<boolean> {
    return run("mountpoint", ["-q", this.#path]).then(
      () => true,
      () => false,
    );
  }

  async #run(command: "install" | "start" | "kill" | "stop" | "status"): Promise<void> {
    const env = { ...process.env, SYNAP_PG_PORT: String(this.#port), SYNAP_PG_DATA: this.data };
    await run(join(root, ".ci", "timescaledb"), [command], { env });
  }
}

/** True when .ci/timescaledb has installed PostgreSQL's programs in its folder: pg_dump, pg_restore, psql. */
export const hasPostgresPrograms: boolean = canRunTimescaledb && existsSync(join(serverRoot, ".installed"));

/**
 * Runs a bash script that uses PostgreSQL's programs, of the version of the servers, in a directory of its own inside
 * the folder of .ci/timescaledb.
 */
export class PostgresShell {
  readonly #directory = `/tmp/${randomUUID()}`;

  constructor() {
    mkdirSync(join(serverRoot, this.#directory));
  }

  /** @returns what it printed. @throws Error with that, when its last command failed */
  run(script: string, variables: Readonly<Record<string, string>>): Promise<string> {
    const path = `PATH=/usr/lib/postgresql/17/bin:/usr/bin:/bin`;
    const environment = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    const within = `cd ${this.#directory} || exit; exec 2>&1\n${script}`;
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
