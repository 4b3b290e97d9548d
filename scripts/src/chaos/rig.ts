import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type ProcessName, SeparateProcesses } from "../processes/separate-processes.ts";
import { type Address, TcpProxy } from "../processes/tcp-proxy.ts";
import type { TimescaledbServer } from "../processes/timescaledb-server.ts";
import type { FaultTargets } from "./faults.ts";

export interface RigOptions {
  readonly databaseUrl: string;
  readonly server: TimescaledbServer | undefined;
  /** An empty directory, for the files that hold the clocks. */
  readonly directory: string;
}

/** Two APIs, two workers and the broker, with a proxy before the database and another one before the workers. */
export interface Rig {
  readonly targets: FaultTargets;
  stop(): Promise<void>;
}

const HOST = "127.0.0.1";
const SHIFTED_CLOCK = pathToFileURL(join(import.meta.dirname, "shifted-clock.mjs")).href;

export async function startRig({ databaseUrl, server, directory }: RigOptions): Promise<Rig> {
  const databaseProxy = await TcpProxy.listen([addressOf(databaseUrl)]);
  let workerProxy: TcpProxy | undefined;
  const clockFile = (name: ProcessName) => join(directory, `${name}.clock`);
  try {
    const processes = await SeparateProcesses.start({
      databaseUrl: throughProxy(databaseUrl, databaseProxy),
      migrationUrl: databaseUrl,
      apis: 2,
      workers: 2,
      fromSource: true,
      detached: true,
      workerOrigin: async ([first, ...others]) => {
        const rest = others.map((port) => ({ host: HOST, port }));
        workerProxy = await TcpProxy.listen([{ host: HOST, port: first }, ...rest]);
        return `http://${HOST}:${workerProxy.port}`;
      },
      environmentOf: (name) => ({
        NODE_OPTIONS: `--import=${SHIFTED_CLOCK}`,
        SYNAP_CHAOS_CLOCK: clockFile(name),
      }),
    });
    if (workerProxy === undefined) throw new Error("The workers were started without their proxy.");
    const proxies = [databaseProxy, workerProxy];
    return {
      targets: { processes, databaseProxy, workerProxy, server, clockFile },
      stop: async () => {
        for (const proxy of proxies) proxy.setMode("pass");
        await processes.stop();
        await Promise.all(proxies.map((proxy) => proxy.close()));
      },
    };
  } catch (error) {
    await workerProxy?.close();
    await databaseProxy.close();
    throw error;
  }
}

function addressOf(databaseUrl: string): Address {
  const { hostname, port } = new URL(databaseUrl);
  return { host: hostname, port: Number(port || 5432) };
}

function throughProxy(databaseUrl: string, proxy: TcpProxy): string {
  const url = new URL(databaseUrl);
  url.hostname = HOST;
  url.port = String(proxy.port);
  return url.href;
}
