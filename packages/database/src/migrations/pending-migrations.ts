import { sqlState } from "../connection/database-errors.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { SchemaNewerError } from "./migration-errors.ts";
import { listMigrationFiles, MIGRATIONS_DIRECTORY } from "./migration-files.ts";

const UNDEFINED_TABLE = "42P01";

// Read once: the files of a release don't change while it runs, and probes ask every few seconds.
const filesOf = new Map<string, Promise<string[]>>();

/**
 * The names of this release's migrations that the database has not had yet, in order: all of them when nobody ever
 * migrated it. One short query; changes nothing.
 *
 * @throws SchemaNewerError when the database has one that this release doesn't know
 */
export async function pendingMigrations(
  database: SqlSession,
  directory: string = MIGRATIONS_DIRECTORY,
): Promise<string[]> {
  const files = await rememberedFiles(directory);
  const applied = await readApplied(database);
  const unknown = applied.find(({ name }) => !files.includes(name));
  if (unknown !== undefined) throw new SchemaNewerError(unknown.name, unknown.release);
  const names = new Set(applied.map(({ name }) => name));
  return files.filter((name) => !names.has(name));
}

function rememberedFiles(directory: string): Promise<string[]> {
  const known = filesOf.get(directory);
  if (known !== undefined) return known;
  const reading = listMigrationFiles(directory);
  filesOf.set(directory, reading);
  reading.catch(() => filesOf.delete(directory));
  return reading;
}

async function readApplied(database: SqlSession): Promise<{ name: string; release: string }[]> {
  try {
    return await database.query("SELECT name, release FROM synap.migrations ORDER BY name");
  } catch (error) {
    if (sqlState(error) === UNDEFINED_TABLE) return [];
    throw error;
  }
}
