import { randomUUID } from "node:crypto";
import { createReadStream, type Dirent } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type ArchiveDestination,
  ArchiveDestinationError,
  type ArchiveFile,
  ArchiveFileMissingError,
  partsOfName,
} from "../archive-destination.ts";

/** A folder as the destination of an archive. It is made by the first write. */
export function openFolder(folder: string): ArchiveDestination {
  const url = pathToFileURL(folder).href;
  const failed = (cause: unknown) => new ArchiveDestinationError(url, reasonOf(cause), { cause });

  async function write(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const parts = partsOfName(name);
    const path = join(folder, ...parts);
    const partial = join(dirname(path), `.${parts.at(-1)}.${randomUUID()}.partial`);
    const file = await orThrow(async () => {
      await makeFolder(dirname(path));
      await removePartials(path);
      return open(partial, "wx");
    });
    let isWhole = false;
    try {
      // An error of the content is the caller's and is passed on as it is.
      for await (const bytes of content) await orThrow(() => file.writeFile(bytes));
      await orThrow(() => file.sync());
      isWhole = true;
    } finally {
      await file.close();
      if (!isWhole) await rm(partial, { force: true });
    }
    await orThrow(async () => {
      await rename(partial, path);
      await syncFolder(dirname(path));
    });
  }

  async function* read(name: string): AsyncIterable<Uint8Array> {
    const path = join(folder, ...partsOfName(name));
    try {
      for await (const bytes of createReadStream(path)) yield bytes;
    } catch (cause) {
      if (codeOf(cause) === "ENOENT") throw new ArchiveFileMissingError(name, url, { cause });
      throw codeOf(cause) === undefined ? cause : failed(cause);
    }
  }

  async function remove(name: string): Promise<void> {
    const path = join(folder, ...partsOfName(name));
    await orThrow(async () => {
      try {
        await rm(path);
      } catch (error) {
        if (codeOf(error) === "ENOENT") return;
        throw error;
      }
      await syncFolder(dirname(path));
    });
  }

  async function list(prefix: string): Promise<readonly ArchiveFile[]> {
    const files = await orThrow(() => filesBelow(folder, ""));
    return files
      .filter(({ name }) => name.startsWith(prefix))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  async function orThrow<Result>(run: () => Promise<Result>): Promise<Result> {
    try {
      return await run();
    } catch (cause) {
      throw failed(cause);
    }
  }

  return { url, write, read, list, remove };
}

/** Makes a folder and those above it, each of them durably. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** A file's name is in its folder, which is written to disk by itself. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes what a process that was killed left of this file. A writer whose file is removed under it fails when it renames it. */
async function removePartials(path: string): Promise<void> {
  const folder = dirname(path);
  const start = `.${path.slice(folder.length + 1)}.`;
  for (const entry of await readdir(folder)) {
    const rest = entry.startsWith(start) ? entry.slice(start.length) : "";
    if (/^[0-9a-f-]{36}\.partial$/.test(rest)) await rm(join(folder, entry), { force: true });
  }
}

async function filesBelow(folder: string, prefix: string): Promise<ArchiveFile[]> {
  const files: ArchiveFile[] = [];
  for (const entry of await entriesOf(folder)) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...(await filesBelow(path, `${prefix}${entry.name}/`)));
    else if (entry.isFile()) files.push({ name: prefix + entry.name, bytes: (await stat(path)).size });
  }
  return files;
}

/** No entries if there is no folder yet. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
