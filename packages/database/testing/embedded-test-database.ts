import { constants } from "node:fs";
import { access, cp, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, migrate, openDatabase } from "../src/index.ts";
import { templateKey } from "./template-key.ts";
import type { TestDatabase } from "./test-database.ts";

/** A data directory in the system's temporary folder; a copy of a migrated one, or empty. */
export async function createEmbeddedTestDatabase(content: "migrated" | "empty"): Promise<TestDatabase> {
  const dataDirectory = await mkdtemp(join(tmpdir(), "synap-test-"));
  if (content === "migrated") {
    await cp(await ensureTemplate(), dataDirectory, { recursive: true, mode: constants.COPYFILE_FICLONE });
  }
  const options = { dataDirectory };
  let database: Database = await openDatabase(options);
  return {
    engine: "embedded",
    options,
    get database() {
      return database;
    },
    reopen: async () => {
      await database.close();
      database = await openDatabase(options);
      return database;
    },
    drop: async () => {
      await database.close();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

/** Made once for each set of migrations. Workers that make it at the same moment each make one; the first to finish wins. */
async function ensureTemplate(): Promise<string> {
  const folder = join(tmpdir(), "synap-test-templates");
  const template = join(folder, await templateKey());
  if (await exists(template)) return template;

  await mkdir(folder, { recursive: true });
  const dataDirectory = await mkdtemp(join(folder, "making-"));
  const database = await openDatabase({ dataDirectory });
  await migrate(database);
  await database.close();
  try {
    await rename(dataDirectory, template);
  } catch (error) {
    await rm(dataDirectory, { recursive: true, force: true });
    if (!(await exists(template))) throw error;
  }
  return template;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
