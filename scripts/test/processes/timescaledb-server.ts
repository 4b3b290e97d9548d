import { execFileSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const SHARED_PORT = 54329;

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
    rmSync(join(process.env["SYNAP_PG_ROOT"] ?? "/var/tmp/synap-timescaledb", this.#data), {
      recursive: true,
      force: true,
    });
  }

  #run(command: "start" | "kill" | "stop"): void {
    const env = { ...process.env, SYNAP_PG_PORT: String(this.#port), SYNAP_PG_DATA: this.#data };
    execFileSync(join(root, ".ci", "timescaledb"), [command], { env, stdio: ["ignore", "ignore", "pipe"] });
  }
}
