import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where the migrations are, in the repository and in the image. */
export const MIGRATIONS_DIRECTORY: string = fileURLToPath(new URL("../../../migrations-pg", import.meta.url));

/** One numbered SQL file. */
export interface MigrationFile {
  /** The file's name, `0001_what_it_does.sql`: they are applied in the order of their names. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the text, line ends normalised. */
  readonly checksum: string;
}

/** Reads the migrations of a directory, in order. Files that aren't named like one are left alone. */
export async function readMigrationFiles(directory: string): Promise<MigrationFile[]> {
  const names = (await readdir(directory)).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = (await readFile(join(directory, name), "utf8")).replaceAll("\r\n", "\n");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}
