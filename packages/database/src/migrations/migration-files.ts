import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const NAME = "migrations-pg";

/**
 * Where the migrations are: the nearest `migrations-pg` above this file. A bundle lies less deep in the tree than the
 * sources, so counting levels would find it in one of them only.
 */
export const MIGRATIONS_DIRECTORY: string = findAbove(dirname(fileURLToPath(import.meta.url)));

function findAbove(directory: string): string {
  const here = join(directory, NAME);
  const parent = dirname(directory);
  return existsSync(here) || parent === directory ? here : findAbove(parent);
}

/** One numbered SQL file. */
export interface MigrationFile {
  /** The file's name, `0001_what_it_does.sql`: they are applied in the order of their names. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the text, line ends normalised. */
  readonly checksum: string;
}

/** The names of a directory's migrations, in order. Files that aren't named like one are left alone. */
export async function listMigrationFiles(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).sort();
}

/** Reads the migrations of a directory, in order. */
export async function readMigrationFiles(directory: string): Promise<MigrationFile[]> {
  const names = await listMigrationFiles(directory);
  return Promise.all(
    names.map(async (name) => {
      const sql = (await readFile(join(directory, name), "utf8")).replaceAll("\r\n", "\n");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}
