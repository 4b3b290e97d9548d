import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MigrationFileInvalidError } from "./migration-errors.ts";

/** The SQL files of this package: `sql/`. A bundle has a copy beside itself, made by its build. */
export const SQL_DIRECTORY: string = findSql(import.meta.url);

function findSql(module: string): string {
  const beside = fileURLToPath(new URL("./sql", module));
  return existsSync(beside) ? beside : fileURLToPath(new URL("../../sql", module));
}

/** A function, an aggregate or a view that a file defines. */
export interface SqlObject {
  readonly kind: "FUNCTION" | "PROCEDURE" | "AGGREGATE" | "VIEW";
  readonly schema: string;
  readonly name: string;
}

/** One SQL file of a ledger. */
export interface MigrationFile {
  /** `0001_what_it_does.sql`, `functions/name.sql` or `views/name.sql`. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the text, line ends normalised. */
  readonly checksum: string;
  /** The object that the file defines; absent for a numbered file, which is applied once. */
  readonly object?: SqlObject;
}

const NUMBERED = /^\d{4}_[a-z0-9_]+\.sql$/;
const DEFINITION =
  /^CREATE OR REPLACE (FUNCTION|PROCEDURE|AGGREGATE|VIEW) ([a-z_][a-z0-9_]*)\.([a-z_][a-z0-9_]*)/gm;

/** SQL files by name: `0001_what_it_does.sql`, `functions/name.sql`, `views/name.sql`. */
export type SqlFiles = Readonly<Record<string, string>>;

/**
 * Reads the SQL files of a folder: numbered files (in `tables/`, or in the folder itself), functions and views, in the order
 * in which they are applied.
 *
 * @throws MigrationFileInvalidError as `orderMigrationFiles`
 */
export async function readMigrationFiles(directory: string): Promise<MigrationFile[]> {
  const tables = existsSync(join(directory, "tables")) ? join(directory, "tables") : directory;
  const paths = [
    ...(await readdir(tables))
      .filter((name) => NUMBERED.test(name))
      .map((name) => [name, join(tables, name)]),
    ...(await definitionsIn(directory, "functions")),
    ...(await definitionsIn(directory, "views")),
  ] as const;
  const texts = paths.map(async ([name = "", path = ""]) => [name, await readFile(path, "utf8")] as const);
  return orderMigrationFiles(Object.fromEntries(await Promise.all(texts)));
}

async function definitionsIn(directory: string, folder: "functions" | "views"): Promise<string[][]> {
  if (!existsSync(join(directory, folder))) return [];
  const names = (await readdir(join(directory, folder))).filter((name) => name.endsWith(".sql"));
  return names.map((name) => [`${folder}/${name}`, join(directory, folder, name)]);
}

/**
 * Sorts SQL files into the order in which they are applied: numbered ones, then functions and views, each after those that it
 * names.
 *
 * @throws MigrationFileInvalidError when a name is invalid, a number is used twice, or the file of a function or view
 *   defines something else
 */
export function orderMigrationFiles(files: SqlFiles): MigrationFile[] {
  const all = Object.keys(files).sort();
  const stray = all.find((name) => !NUMBERED.test(name) && !/^(functions|views)\/[^/]+\.sql$/.test(name));
  if (stray !== undefined) {
    throw new MigrationFileInvalidError(
      stray,
      "its name has to be like 0001_what_it_does.sql, functions/name.sql or views/name.sql",
    );
  }
  const names = all.filter((name) => NUMBERED.test(name));
  const repeated = names.find((name, index) => names[index - 1]?.slice(0, 4) === name.slice(0, 4));
  if (repeated !== undefined) {
    throw new MigrationFileInvalidError(
      repeated,
      "another file has the same number: give it the next free one",
    );
  }
  const read = (name: string) => toMigrationFile(name, files[name] ?? "");
  const definitions = (["functions", "views"] as const).flatMap((folder) =>
    all
      .filter((name) => name.startsWith(`${folder}/`))
      .map((name): Definition => ({ ...read(name), object: readObject(read(name), folder) })),
  );
  return [...names.map(read), ...orderDefinitions(definitions)];
}

function toMigrationFile(name: string, text: string): MigrationFile {
  const sql = text.replaceAll("\r\n", "\n");
  return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
}

type Definition = MigrationFile & { readonly object: SqlObject };

function readObject({ name, sql }: MigrationFile, folder: "functions" | "views"): SqlObject {
  const [found, ...others] = sql.matchAll(DEFINITION);
  const [, kind, schema, object] = found ?? [];
  const isView = kind === "VIEW";
  if (
    (kind !== "FUNCTION" && kind !== "PROCEDURE" && kind !== "AGGREGATE" && kind !== "VIEW") ||
    schema === undefined ||
    object === undefined ||
    others.length > 0 ||
    name !== `${folder}/${object}.sql` ||
    isView !== (folder === "views")
  ) {
    const expected = folder === "views" ? "VIEW" : "FUNCTION";
    const wanted = name.slice(folder.length + 1, -".sql".length);
    throw new MigrationFileInvalidError(
      name,
      `it has to hold one CREATE OR REPLACE ${expected} <schema>.${wanted}, at the start of a line, and no other`,
    );
  }
  return { kind, schema, name: object };
}

/** Sorts each definition after those that its text names. Functions that name each other stay in the order of their names. */
function orderDefinitions(definitions: readonly Definition[]): Definition[] {
  const ordered = new Set<Definition>();
  const reached = new Set<Definition>();
  const add = (file: Definition): void => {
    if (reached.has(file)) return;
    reached.add(file);
    const code = file.sql.replaceAll(/--.*$/gm, "");
    const words = new Set(code.match(/[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*/g));
    for (const other of definitions) {
      if (words.has(`${other.object.schema}.${other.object.name}`)) add(other);
    }
    ordered.add(file);
  };
  for (const file of definitions) add(file);
  return [...ordered];
}
