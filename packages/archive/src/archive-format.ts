/** A column of an archived table. */
export interface ArchiveColumn {
  readonly name: string;
  /** PostgreSQL's name of the type, such as `bigint`, `text`, `jsonb`, `uuid` or `timestamp with time zone`, with or without a precision. */
  readonly type: string;
}

/**
 * A row: PostgreSQL's text of each value, which loses nothing, or null. Times are the text of a session whose `DateStyle` is ISO and whose
 * `TimeZone` is UTC. A row has every column.
 */
export type ArchiveRow = Readonly<Record<string, string | null>>;

export const ARCHIVE_FORMATS = ["ndjson.zst", "parquet"] as const;
export type ArchiveFormatName = (typeof ARCHIVE_FORMATS)[number];

/**
 * A format of files. What is encoded and decoded again is the same text, value by value. Neither direction holds more in memory than a few
 * batches and one group of rows, of some megabytes.
 */
export interface ArchiveFormat {
  readonly name: ArchiveFormatName;
  /** The end of the name of a file, without its dot. */
  readonly extension: string;
  /** The bytes of a file. The batches may have any size; the file depends on the rows alone, and not on how they are cut into batches. */
  encode(
    columns: readonly ArchiveColumn[],
    rows: AsyncIterable<readonly ArchiveRow[]>,
  ): AsyncIterable<Uint8Array>;
  /**
   * The rows of a file, in order. Throws `ArchiveFileBrokenError` if the bytes aren't a whole file of this format with these columns.
   * Not every changed byte is noticed here: that takes the hash in a manifest.
   */
  decode(
    columns: readonly ArchiveColumn[],
    content: AsyncIterable<Uint8Array>,
  ): AsyncIterable<readonly ArchiveRow[]>;
}

/** Thrown when a file is no whole file of the format, or has other columns than it should. */
export class ArchiveFileBrokenError extends Error {
  readonly code = "ARCHIVE_FILE_BROKEN";
  override readonly name = "ArchiveFileBrokenError";

  constructor(reason: string, options?: ErrorOptions) {
    super(`The archived file can't be read: ${reason}.`, options);
  }
}
