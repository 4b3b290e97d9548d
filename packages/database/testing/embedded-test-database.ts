import { constants } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "../src/index.ts";
import { type DataDirectoryImage, readDataDirectoryImage } from "../src/internal.ts";
import { ensureDataDirectory } from "./prepared-data-directory.ts";
import { type DatabaseContent, openTestDatabase, type TestDatabase } from "./test-database.ts";

/** Opens an in-memory engine from a prepared image: no cluster is initialised, no migration runs, no file is written. */
export async function createMemoryTestDatabase(content: DatabaseContent): Promise<TestDatabase> {
  const options = { memory: true, image: await readImage(content) } as const;
  const database = await openDatabase(options);
  return {
    engine: "embedded",
    options,
    database,
    reopen: async () => {
      throw new Error("This test database is in memory. One that can be opened again is made with onDisk.");
    },
    drop: () => database.close(),
  };
}

/** Creates a data directory in the system's temporary folder as a copy of the prepared one. */
export async function createDirectoryTestDatabase(content: DatabaseContent): Promise<TestDatabase> {
  const dataDirectory = await mkdtemp(join(tmpdir(), "synap-test-"));
  await cp(await ensureDataDirectory(content), dataDirectory, {
    recursive: true,
    mode: constants.COPYFILE_FICLONE,
  });
  return openTestDatabase({ dataDirectory }, () => rm(dataDirectory, { recursive: true, force: true }));
}

const images = new Map<DatabaseContent, Promise<DataDirectoryImage>>();

/** Read once per process, which runs many test files. */
function readImage(content: DatabaseContent): Promise<DataDirectoryImage> {
  const known = images.get(content) ?? ensureDataDirectory(content).then(readDataDirectoryImage);
  images.set(content, known);
  return known;
}
