import { existsSync, linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DataDirectoryInUseError } from "../connection/database-errors.ts";
import { identifyProcess, stateOf } from "./process-identity.ts";

// Lock files are numbered, and the highest number names the holder. Taking the lock
// is creating the next number, which the file system lets exactly one process do, so two starters that both find a
// dead holder can't both take over, and nobody ever removes a lock to take it. A deleted number can come back only
// from a starter that had looked before; it then sees the higher number and withdraws.
const LOCK_FILE = /^lock\.(\d+)\.json$/;

const holderSchema = z.object({
  pid: z.int(),
  startToken: z.string().optional(),
  boot: z.string().optional(),
  host: z.string(),
  startedAt: z.string(),
  urls: z.record(z.string(), z.string()),
  released: z.boolean().optional(),
});

type Holder = z.infer<typeof holderSchema>;

/** A lock that is held until `release` is called or the process ends, however it ends. */
export interface DataDirectoryLock {
  release(): void;
}

/**
 * Locks an existing directory for this process, or takes it over from one that ended without releasing it: two engines
 * on the same files would destroy them. Opening it twice in one process is refused as well.
 *
 * @param urls where this process can be reached, by name ("API": "http://..."), shown to processes that are refused
 * @throws DataDirectoryInUseError naming the process that holds it
 */
export function lockDataDirectory(
  directory: string,
  urls: Readonly<Record<string, string>> = {},
): DataDirectoryLock {
  const identity = identifyProcess();
  const holder: Holder = { ...identity, startedAt: new Date().toISOString(), urls: { ...urls } };
  const draft = join(directory, `lock.draft.${process.pid}.${Date.now()}`);
  writeFileSync(draft, `${JSON.stringify(holder, null, 2)}\n`);
  try {
    for (;;) {
      const numbers = lockNumbers(directory);
      const highest = numbers.at(-1) ?? 0;
      if (highest > 0) refuseIfHeld(directory, highest);
      const mine = highest + 1;
      if (!createAs(draft, lockPath(directory, mine))) continue;
      if (lockNumbers(directory).some((number) => number > mine)) {
        rmSync(lockPath(directory, mine), { force: true });
        continue;
      }
      for (const number of numbers) rmSync(lockPath(directory, number), { force: true });
      return { release: () => release(directory, mine, holder) };
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Checks that no process holds a directory, without locking it. A missing one is free.
 * @throws DataDirectoryInUseError naming the process that holds it
 */
export function refuseHeldDirectory(directory: string): void {
  if (!existsSync(directory)) return;
  const highest = lockNumbers(directory).at(-1) ?? 0;
  if (highest > 0) refuseIfHeld(directory, highest);
}

function refuseIfHeld(directory: string, number: number): void {
  const holder = readHolder(directory, number);
  if (holder === undefined || holder.released === true) return;
  const { startToken, boot, ...rest } = holder;
  const state = stateOf({
    ...rest,
    ...(startToken === undefined ? {} : { startToken }),
    ...(boot === undefined ? {} : { boot }),
  });
  if (state === "gone") return;
  throw new DataDirectoryInUseError(directory, {
    processId: holder.pid,
    since: holder.startedAt,
    urls: holder.urls,
    ...(state === "elsewhere" ? { host: holder.host, lockFile: lockPath(directory, number) } : {}),
  });
}

function release(directory: string, number: number, holder: Holder): void {
  // Marked, not removed: the numbers must never restart while another process may be counting them.
  const path = lockPath(directory, number);
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify({ ...holder, released: true }, null, 2)}\n`);
  renameSync(draft, path);
}

/** Reads the holder. An unreadable lock file was torn by a power failure, which also ended the process that wrote it. */
function readHolder(directory: string, number: number): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(lockPath(directory, number), "utf8")));
  } catch {
    return undefined;
  }
}

function createAs(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

function lockNumbers(directory: string): number[] {
  return readdirSync(directory)
    .map((name) => Number(LOCK_FILE.exec(name)?.[1] ?? Number.NaN))
    .filter((number) => Number.isSafeInteger(number))
    .sort((a, b) => a - b);
}

function lockPath(directory: string, number: number): string {
  return join(directory, `lock.${number}.json`);
}
