import { access, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { templateKey } from "./template-key.ts";
import type { DatabaseContent } from "./test-database.ts";

/**
 * Prepares the data directory from which embedded test databases are copied, in the system's temporary folder: once for each
 * set of migrations and version of the engine, before the first test of a run (`before-all-tests.ts`). Concurrent runs each
 * create one, and the first to finish wins.
 */
export async function ensureDataDirectory(content: DatabaseContent): Promise<string> {
  const folder = join(tmpdir(), "synap-test-templates");
  const prepared = join(folder, `${content}-${await templateKey(content)}`);
  if (await exists(prepared)) return prepared;

  // Imported lazily, because most runs find the directory and need no engine.
  const { migrate, openDatabase } = await import("../src/index.ts");
  await mkdir(folder, { recursive: true });
  const making = await mkdtemp(join(folder, "making-"));
  const database = await openDatabase({ dataDirectory: making });
  if (content === "migrated") await migrate(database);
  await database.close();
  try {
    await rename(making, prepared);
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    if (!(await exists(prepared))) throw error;
  }
  return prepared;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
