import { join } from "node:path";
import { type Database, type ErasureLedger, type KeyProvider, keyFile, ledgerFile } from "@synap/database";
import { NothingToEraseError, SubjectHeldError } from "@synap/database/internal";
import { readErasureLedger, readPersonalDataKeys } from "@synap/service";
import { EXIT, ExitError, UsageError } from "@synap/service/exit-codes";
import { MAX_SUBJECT_LENGTH } from "@synap/types/internal";
import type { Option } from "commander";
import { withMigratedDatabase } from "../data-directory/with-migrated-database.ts";
import { dataOption } from "../terminal/command.ts";
import { plain } from "../terminal/table.ts";

/** The place of the subjects. */
export interface StoreOptions {
  readonly data: string;
}

const SUBJECTS = "keys of subjects";

/** Works with the database of the subjects. @throws ExitError for what the store refuses */
export async function onSubjects(data: string, work: (database: Database) => Promise<void>): Promise<void> {
  await withMigratedDatabase(data, SUBJECTS, async (database) => {
    try {
      await work(database);
    } catch (cause) {
      if (!(cause instanceof SubjectHeldError || cause instanceof NothingToEraseError)) throw cause;
      throw new ExitError(EXIT.failed, plain(cause.message), { cause });
    }
  });
}

/** The ledger of the erased subjects. @throws UsageError where it is not known */
export function ledgerOf(data: string): ErasureLedger {
  const ledger = readErasureLedger(process.env);
  if (ledger !== undefined) return ledger;
  if (isServer())
    throw new UsageError(
      "Set SYNAP_ERASURE_LEDGER to a file that is not restored with the database: it keeps erased subjects erased.",
    );
  return ledgerFile(join(data, "personal-data.keys.erased"));
}

/** The provider of the wrapping key, as far as there is one: none is made. @throws UsageError where it is not known */
export function keysOf(data: string): KeyProvider {
  const keys = readPersonalDataKeys(process.env);
  if (keys !== undefined) return keys;
  if (isServer())
    throw new UsageError("Set SYNAP_PERSONAL_DATA_KEY_FILE or SYNAP_VAULT_URL, as for the API.");
  return keyFile(join(data, "personal-data.keys"));
}

/** The file of the key that signs reports: beside the key file, or beside the ledger where there is none. */
export function signingKeyOf(data: string): string {
  const { SYNAP_PERSONAL_DATA_KEY_FILE: file } = process.env;
  if (file) return `${file}.signing`;
  return isServer() ? `${ledgerOf(data).name}.signing` : join(data, "personal-data.keys.signing");
}

/** True if the database is a server's. */
export function isServer(): boolean {
  return Boolean(process.env["DATABASE_URL"]);
}

/** Reads the name of a subject. @throws UsageError */
export function subjectArgument(value: string): string {
  if (value !== "" && value.length <= MAX_SUBJECT_LENGTH) return value;
  throw new UsageError(`A subject has 1 to ${MAX_SUBJECT_LENGTH} characters.`);
}

/** The option of the data directory. */
export function storeOption(): Option {
  return dataOption("the data directory, without DATABASE_URL; stop Synap first");
}
