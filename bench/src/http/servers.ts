import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";

/** Servers under load, each in a separate process. */
export interface Servers {
  /** Accepts everything, and keeps the ids. */
  readonly broker: ServerProcess;
  readonly api: ServerProcess;
  /** The yardsticks. */
  readonly bare: ServerProcess;
  stop(): Promise<void>;
}

/** Starts them, the API on a database that nobody else uses. When one fails to start, none is left. */
export async function startServers(serverUrl: string | undefined): Promise<Servers> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (let next = stops.pop(); next !== undefined; next = stops.pop()) await next();
  };
  const start = async (module: string, environment: Record<string, string>) => {
    const server = await startServerProcess(module, environment);
    stops.push(server.stop);
    return server;
  };
  try {
    const made = await createTemporaryDatabase(serverUrl, "http");
    stops.push(made.remove);
    // One process at a time may open an embedded one.
    if ("dataDirectory" in made.location) await made.database.close();
    const broker = await start("acceptor.ts", {});
    const api = await start("api-server.ts", {
      INNGEST_BASE_URL: broker.url,
      BENCH_DATABASE: JSON.stringify(made.location),
    });
    const bare = await start("bare-server.ts", { INNGEST_BASE_URL: broker.url });
    return { broker, api, bare, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
