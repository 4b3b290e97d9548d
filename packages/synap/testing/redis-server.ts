/** A Redis of a test's own, which it may kill. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A server that is not started yet. */
export interface RedisServer {
  readonly url: string;
  /** Starts it, and waits until it answers. */
  start(): Promise<void>;
  /** Kills it with SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** Kills it, and removes what it kept. */
  remove(): Promise<void>;
}

/** Makes a server with these options, on a free port. `redis-server` must be installed. */
export async function createRedisServer(...options: readonly string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "synap-redis-"));
  const port = await freePort();
  let server: ChildProcess | undefined;
  const kill = async () => {
    const running = server;
    server = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, "exit");
    running.kill("SIGKILL");
    await ended;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    async start() {
      const own = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", ""];
      server = spawn("redis-server", [...own, ...options], { stdio: "ignore" });
      await once(server, "spawn");
      while (!(await answers(port))) {
        if (server.exitCode !== null) throw new Error(`redis-server ended with ${server.exitCode}.`);
      }
    },
    kill,
    async remove() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("There is no free port.");
  return address.port;
}

/** True if the server has loaded what it kept, and takes commands. */
async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    socket.write("PING\r\n");
    const [answer] = await once(socket, "data");
    return `${answer}`.startsWith("+PONG");
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
