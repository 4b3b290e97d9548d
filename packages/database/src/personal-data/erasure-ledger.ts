import { createHash } from "node:crypto";
import { open, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * The subjects whose keys were destroyed, in a place that is not restored with the database: a restored backup has the keys again, and the
 * ledger says that they must not be used. It has hashes of the subjects and not their names.
 */
export interface ErasureLedger {
  /** Its name for messages: the path of a file. */
  readonly name: string;
  /** The hashes of the subjects. */
  read(): Promise<ReadonlySet<string>>;
  /** Adds a subject. It is on the disk when this resolves. Adding one again is harmless. */
  add(subject: string): Promise<void>;
}

/** The form in which the ledger has a subject. */
export function ledgerHash(subject: string): string {
  return createHash("sha256").update(`synap erased ${subject}`).digest("hex");
}

const HASH = /^[0-9a-f]{64}$/;

/** A ledger in a file, with a line for each subject. One that does not exist is empty. It is read again when it has changed. */
export function ledgerFile(path: string): ErasureLedger {
  let kept: { readonly changed: string; readonly hashes: ReadonlySet<string> } | undefined;
  return {
    name: path,
    async read() {
      const found = await stat(path).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      if (found === undefined) return new Set();
      const changed = `${found.mtimeMs} ${found.size}`;
      if (kept?.changed !== changed) {
        const lines = (await readFile(path, "utf8")).split("\n").map((line) => line.trim());
        // An interrupted write leaves a part of a line, which the next one completes.
        kept = { changed, hashes: new Set(lines.filter((line) => HASH.test(line))) };
      }
      return kept.hashes;
    },
    async add(subject) {
      const file = await open(path, "a", 0o600);
      try {
        await file.writeFile(`\n${ledgerHash(subject)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      const folder = await open(dirname(path), "r");
      // Some file systems can't, and need not.
      await folder.sync().catch(() => {});
      await folder.close();
    },
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
