import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Database, type Engine, openDatabase } from "@synap/database";
import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";

/** Synap in a separate process, as `npm start` runs it, on a store that nothing else uses. */
export interface Product {
  readonly engine: Engine;
  /** Without a trailing slash. */
  readonly apiUrl: string;
  /** Of the one process that holds API, worker, local broker and, when embedded, the store. */
  readonly pid: number;
  /** Its server's database; undefined when embedded. */
  readonly databaseUrl: string | undefined;
  /** Stops it in order, as Ctrl-C does. What it accepted is then in the store or in its queue. May be called twice. */
  stop(): Promise<void>;
  /** The store, once the product has stopped. Closing it is the caller's. */
  openStore(): Promise<Database>;
  /** Kills what still runs, and removes the store. */
  remove(): Promise<void>;
}

/** The product did not start, or ended unexpectedly. The message has its last output. */
export class ProductError extends Error {
  override readonly name = "ProductError";
  readonly code = "PRODUCT_FAILED";
}

const SCRIPT = fileURLToPath(new URL("../../../apps/cli/src/synap-cli.ts", import.meta.url));
const LOADER = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const START_PATIENCE_MS = 60_000;
const STOP_PATIENCE_MS = 30_000;

/**
 * Starts the product with every default: all handlers and projections, its own log level, no setting of ours.
 *
 * @throws ProductError when it is not ready within a minute
 */
export async function startProduct(options: {
  /** On which a database is made; undefined for the embedded engine. */
  readonly serverUrl: string | undefined;
  /** Default: the local broker. */
  readonly inngestUrl?: string | undefined;
  /** Path of a config file. Default: none. */
  readonly config?: string | undefined;
  readonly purpose: string;
  readonly signal: AbortSignal;
}): Promise<Product> {
  const { serverUrl, inngestUrl, config, purpose, signal } = options;
  const directory = mkdtempSync(join(tmpdir(), `synap-${purpose}-`));
  const temporary = serverUrl === undefined ? undefined : await createTemporaryDatabase(serverUrl, purpose);
  const databaseUrl = temporary?.url;
  const ports = ["--port", "0", "--worker-port", "0", "--broker-port", "0"];
  const broker = inngestUrl === undefined ? [] : [`--inngest=${inngestUrl}`];
  const application = config === undefined ? [] : [`--config=${config}`];
  const child = spawn(
    process.execPath,
    ["--import", LOADER, SCRIPT, "start", "--data", directory, ...ports, ...broker, ...application],
    { stdio: ["ignore", "pipe", "pipe"], env: environment(databaseUrl, inngestUrl !== undefined) },
  );
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const kill = () => void child.kill("SIGKILL");
  signal.addEventListener("abort", kill);
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const force = setTimeout(kill, STOP_PATIENCE_MS);
    child.kill("SIGINT");
    await ended;
    clearTimeout(force);
  };
  const remove = async () => {
    kill();
    await ended;
    signal.removeEventListener("abort", kill);
    await temporary?.remove();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    return {
      engine: serverUrl === undefined ? "embedded" : "server",
      apiUrl: await ready(child, ended),
      pid: child.pid ?? 0,
      databaseUrl,
      stop,
      openStore: () =>
        openDatabase(
          databaseUrl === undefined ? { dataDirectory: join(directory, "database") } : { url: databaseUrl },
        ),
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Ours, without what would change the product's defaults. */
function environment(databaseUrl: string | undefined, withInngest: boolean): NodeJS.ProcessEnv {
  const foreign = (name: string) =>
    name.startsWith("SYNAP_") ||
    name === "LOG_LEVEL" ||
    name === "DATABASE_DIRECT_URL" ||
    name === "DATABASE_REPLICA_URL" ||
    (name.startsWith("INNGEST_") && !withInngest);
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign(name)));
  return { ...own, DATABASE_URL: databaseUrl ?? "" };
}

/** Resolves with the API's address, which the product prints when all of it is ready. */
async function ready(child: ChildProcess, ended: Promise<void>): Promise<string> {
  let printed = "";
  let timer: NodeJS.Timeout | undefined;
  const address = new Promise<string | undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), START_PATIENCE_MS);
    // Both are read to the end, or a full pipe would stop the product.
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk) => {
        printed = `${printed}${String(chunk)}`.slice(-8_000);
        const [, url] = /is ready[\s\S]*?API\s+(http\S+)/.exec(printed) ?? [];
        if (url !== undefined) resolve(url);
      });
    }
    void ended.then(() => resolve(undefined));
  });
  const url = await address;
  clearTimeout(timer);
  if (url === undefined) throw new ProductError(`Synap did not start:\n${printed}`);
  return url;
}
