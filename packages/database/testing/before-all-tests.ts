import { ensureDataDirectory } from "./prepared-data-directory.ts";

/** Before the first test of a run: what test databases of the embedded engine start from, unless an earlier run made it. */
export default async function prepare(): Promise<void> {
  await ensureDataDirectory("migrated");
  await ensureDataDirectory("empty");
}
