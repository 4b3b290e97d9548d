import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MigrationFileInvalidError } from "./migration-errors.ts";

/** The SQL of this package: `sql/`. A bundle has a copy beside itself, which the build of its program makes. */
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
  /** What the file defines and replaces; absent for a numbered file, which is applied once. */
  readonly object?: SqlObject;
}

const NUMBERED = /^\d{4}_[a-z0-9_]+\.sql$/;
const DEFINITION =
  /^CREATE OR REPLACE (FUNCTION|PROCEDURE|AGGREGATE|VIEW) ([a-z_][a-z0-9_]*)\.([a-z_][a-z0-9_]*)/gm;

/**
 * Reads the files of a folder in the order in which they are applied: numbered files (in `tables/`, or in the folder
 * itself), then functions and views, each after those that it names.
 *
 * @throws MigrationFileInvalidError when a number is used twice, or a file of a function or view defines something else
 */
export async function readMigrationFiles(directory: string): Promise<MigrationFile[]> {
  const tables = existsSync(join(directory, "tables")) ? join(directory, "tables") : directory;
  const names = (await readdir(tables)).filter((name) => NUMBERED.test(name)).sort();
  const repeated = names.find((name, place) => names[place - 1]?.slice(0, 4) === name.slice(0, 4));
  if (repeated !== undefined) {
    throw new MigrationFileInvalidError(
      repeated,
      "another file has the same number: give it the next free one",
    );
  }
  const numbered = await Promise.all(names.map((name) => readSql(tables, name)));
  const definitions = [
    ...(await readDefinitions(directory, "functions")),
    ...(await readDefinitions(directory, "views")),
  ];
  return [...numbered, ...inOrderOfUse(definitions)];
}

async function readSql(directory: string, name: string): Promise<MigrationFile> {
  const sql = (await readFile(join(directory, name), "utf8")).replaceAll("\r\n", "\n");
  return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
}

type Definition = MigrationFile & { readonly object: SqlObject };

async function readDefinitions(directory: string, folder: "functions" | "views"): Promise<Definition[]> {
  if (!existsSync(join(directory, folder))) return [];
  const names = (await readdir(join(directory, folder))).filter((name) => name.endsWith(".sql")).sort();
  return Promise.all(
    names.map(async (name) => {
      const file = await readSql(directory, `${folder}/${name}`);
      return { ...file, object: readObject(file, folder) };
    }),
  );
}

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

/** Puts each definition after those that its text names. Functions that name each other stay in the order of their names. */
function inOrderOfUse(definitions: readonly Definition[]): Definition[] {
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
