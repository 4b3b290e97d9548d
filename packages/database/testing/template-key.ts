import { createHash } from "node:crypto";
import { MIGRATIONS_DIRECTORY, readMigrationFiles } from "../src/migrations/migration-files.ts";

/** Names the template by what is in it: another set of migrations has another template. */
export async function templateKey(): Promise<string> {
  const hash = createHash("sha256");
  for (const file of await readMigrationFiles(MIGRATIONS_DIRECTORY))
    hash.update(`${file.name} ${file.checksum}\n`);
  return hash.digest("hex").slice(0, 16);
}
