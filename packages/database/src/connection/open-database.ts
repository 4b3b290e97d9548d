import type { DataDirectoryImage } from "./data-directory-image.ts";
import type { EmbeddedOptions } from "./embedded-database.ts";
import { openServerDatabase, type ServerOptions } from "./server-database.ts";
import type { Database } from "./sql-session.ts";

/** A server by its URL, or the embedded engine on a directory or in memory. */
export type DatabaseOptions =
  | ServerOptions
  | { readonly dataDirectory: string; readonly applicationRole?: boolean | undefined }
  | {
      readonly memory: true;
      readonly image?: DataDirectoryImage | undefined;
      readonly applicationRole?: boolean | undefined;
    };

/**
 * Opens the database. Call `migrate` next: a new one has no tables yet.
 * @throws DatabaseUnavailableError when a server can't be reached.
 * @throws DataDirectoryInUseError when another process has the directory open.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  if ("url" in options) return openServerDatabase(options);
  // Imported lazily: with a server, the embedded engine is neither loaded nor required.
  const { openEmbeddedDatabase } = await import("./embedded-database.ts");
  const embedded: EmbeddedOptions = {
    ...("memory" in options
      ? { dataDirectory: undefined, image: options.image }
      : { dataDirectory: options.dataDirectory }),
    applicationRole: options.applicationRole,
  };
  return openEmbeddedDatabase(embedded);
}
