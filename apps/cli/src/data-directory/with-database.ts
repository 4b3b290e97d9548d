import { type Database, openDatabase } from "@synap/database";
import { readServerUrls } from "@synap/service/server-urls";
import { RELEASE } from "../terminal/release.ts";
import { openDataDirectory } from "./open-data-directory.ts";

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
  const directory = openDataDirectory({ path: dataDirectory, release: RELEASE, urls: {} });
  try {
    await workIn({ dataDirectory: directory.databasePath }, work);
  } finally {
    directory.close();
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
