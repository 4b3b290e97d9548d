import { type Database, openDatabase } from "@synap/database";
import { readServerUrls } from "@synap/service/server-urls";
import { RELEASE } from "../terminal/release.ts";
import { DataDirectoryError } from "./errors.ts";
import { type DataDirectory, openDataDirectory } from "./open-data-directory.ts";

/**
 * Works with the database at DATABASE_URL, or with the embedded one in a data directory, which this process holds meanwhile.
 *
 * @throws DataDirectoryError when a running Synap has the directory
 */
export async function withDatabase(
  dataDirectory: string,
  work: (database: Database) => Promise<void>,
): Promise<void> {
  const server = readServerUrls(process.env);
  if (server !== undefined) return workIn(server, work);
  const directory = takeDirectory(dataDirectory);
  try {
    await workIn({ dataDirectory: directory.databasePath }, work);
  } finally {
    directory.close();
  }
}

/** @throws DataDirectoryError that says what to do when a running Synap has the directory */
function takeDirectory(path: string): DataDirectory {
  try {
    return openDataDirectory({ path, release: RELEASE, urls: {} });
  } catch (error) {
    if (!(error instanceof DataDirectoryError) || error.code !== "DATA_DIRECTORY_IN_USE") throw error;
    const cure =
      "An embedded database is open in one process at a time: stop that Synap, run this command, and start it again.";
    throw new DataDirectoryError(error.code, `${error.message} ${cure}`, { cause: error });
  }
}

async function workIn(
  where: Parameters<typeof openDatabase>[0],
  work: (database: Database) => Promise<void>,
): Promise<void> {
  const database = await openDatabase(where);
  try {
    await work(database);
  } finally {
    await database.close();
  }
}
