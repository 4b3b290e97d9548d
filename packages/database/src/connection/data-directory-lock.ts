import { mkdir, open, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DataDirectoryInUseError } from "./database-errors.ts";

const heldHere = new Map<string, string>();

/**
 * Takes a data directory for this process: two engines on the same files would destroy them. The lock is a file with
 * the process id and the moment that process started, so that one left behind by a crash is recognised, also when
 * another process has got the same id since.
 * @throws DataDirectoryInUseError naming the process that holds it.
 */
export async function lockDataDirectory(directory: string): Promise<() => Promise<void>> {
  const path = join(resolve(directory), "synap.lock");
  const since = heldHere.get(path);
  if (since !== undefined) throw new DataDirectoryInUseError(directory, process.pid, since);
  heldHere.set(path, new Date().toISOString());
  try {
    await mkdir(directory, { recursive: true });
    await takeLock(path, directory);
  } catch (error) {
    heldHere.delete(path);
    throw error;
  }
  return async () => {
    heldHere.delete(path);
    await rm(path, { force: true });
  };
}

async function takeLock(path: string, directory: string): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      const file = await open(path, "wx");
      const started = await startOf(process.pid);
      await file.writeFile(
        JSON.stringify({ processId: process.pid, started, since: new Date().toISOString() }),
      );
      await file.close();
      return;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const holder = await readHolder(path);
    if (holder !== undefined && (await isAlive(holder))) {
      throw new DataDirectoryInUseError(directory, holder.processId, holder.since);
    }
    await rm(path, { force: true });
  }
  throw new DataDirectoryInUseError(directory, 0, "this moment");
}

interface Holder {
  readonly processId: number;
  readonly started: string | undefined;
  readonly since: string;
}

async function readHolder(path: string): Promise<Holder | undefined> {
  // An empty file was created an instant ago, or by a process that died in that instant.
  for (let attempt = 0; attempt < 10; attempt += 1) {
    try {
      const value: unknown = JSON.parse(await readFile(path, "utf8"));
      if (typeof value !== "object" || value === null || !("processId" in value)) return undefined;
      const { processId, started, since } = value as Record<string, unknown>;
      if (typeof processId !== "number" || typeof since !== "string") return undefined;
      return { processId, started: typeof started === "string" ? started : undefined, since };
    } catch {
      await new Promise((done) => setTimeout(done, 20));
    }
  }
  return undefined;
}

async function isAlive(holder: Holder): Promise<boolean> {
  try {
    process.kill(holder.processId, 0);
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  const started = await startOf(holder.processId);
  return started === undefined || holder.started === undefined || started === holder.started;
}

/** When a process started, where the operating system tells (Linux); undefined elsewhere. */
async function startOf(processId: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${processId}/stat`, "utf8");
    // The name in parentheses may hold spaces; the start time is the 20th field after it.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
