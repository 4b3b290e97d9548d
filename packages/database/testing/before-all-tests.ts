import { ensureDataDirectory } from "./prepared-data-directory.ts";

/** Global setup of a test run: prepares the data directory of embedded test databases, unless an earlier run did. */
export default async function prepare(): Promise<void> {
  await ensureDataDirectory("migrated");
  await ensureDataDirectory("empty");
}
