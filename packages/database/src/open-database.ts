import type { Database } from "./connection/sql-session.ts";
import type { DataDirectoryImage } from "./embedded/data-directory-image.ts";
import type { EmbeddedOptions } from "./embedded/embedded-database.ts";
import { openServerDatabase, type ServerOptions } from "./server/server-database.ts";

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
  const { openEmbeddedDatabase } = await import("./embedded/embedded-database.ts");
  const embedded: EmbeddedOptions = {
    ...("memory" in options
      ? { dataDirectory: undefined, image: options.image }
      : { dataDirectory: options.dataDirectory }),
    applicationRole: options.applicationRole,
  };
  return openEmbeddedDatabase(embedded);
}
