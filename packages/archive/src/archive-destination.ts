/** A file of an archive. */
export interface ArchiveFile {
  /** Relative to the destination, with `/` between folders. */
  readonly name: string;
  readonly bytes: number;
}

/**
 * A place for the files of an archive. A name has one or more parts of letters, digits, `.`, `_`, `=` and `-`, with `/` between them; no part
 * starts with a dot. Every method throws `ArchiveDestinationError` if the destination can't be reached or refuses.
 */
export interface ArchiveDestination {
  /** Without credentials. */
  readonly url: string;
  /**
   * Keeps a file. It replaces one of the same name, is never visible half, and is durable when this resolves. If `content` throws, nothing is
   * kept and the error is passed on. One writer of a name at a time: of two, one may fail.
   */
  write(name: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** The bytes of a file, as they come. Throws `ArchiveFileMissingError` if there is none. */
  read(name: string): AsyncIterable<Uint8Array>;
  /** Every whole file whose name starts with the prefix (any text, "" for all), by name in the order of their UTF-16 units. */
  list(prefix: string): Promise<readonly ArchiveFile[]>;
  /** Removes a file, durably. Removing one that isn't there is no error. */
  remove(name: string): Promise<void>;
}

/** Thrown when the address of an archive can't be understood, or lacks a setting. */
export class InvalidArchiveUrlError extends Error {
  readonly code = "INVALID_ARCHIVE_URL";
  override readonly name = "InvalidArchiveUrlError";
}

/** Thrown when a name of a file isn't allowed. */
export class InvalidArchiveNameError extends Error {
  readonly code = "INVALID_ARCHIVE_NAME";
  override readonly name = "InvalidArchiveNameError";

  constructor(file: string) {
    super(`${JSON.stringify(file)} can't be the name of an archived file.`);
  }
}

/** Thrown when a file isn't there. */
export class ArchiveFileMissingError extends Error {
  readonly code = "ARCHIVE_FILE_MISSING";
  override readonly name = "ArchiveFileMissingError";
  readonly file: string;
  readonly destination: string;

  constructor(file: string, destination: string, options?: ErrorOptions) {
    super(`There is no file ${file} in the archive ${destination}.`, options);
    this.file = file;
    this.destination = destination;
  }
}

/** Thrown when a destination can't be reached, or refuses. The cause has the details. */
export class ArchiveDestinationError extends Error {
  readonly code = "ARCHIVE_DESTINATION_FAILED";
  override readonly name = "ArchiveDestinationError";
  readonly destination: string;

  constructor(destination: string, reason: string, options?: ErrorOptions) {
    super(`The archive ${destination} failed: ${reason}.`, options);
    this.destination = destination;
  }
}

const PART = /^[A-Za-z0-9_=-][A-Za-z0-9._=-]*$/;

/** The parts of a file's name. Throws `InvalidArchiveNameError`. */
export function partsOfName(name: string): readonly string[] {
  const parts = name.split("/");
  if (name.length > 900 || parts.some((part) => part.length > 200 || !PART.test(part))) {
    throw new InvalidArchiveNameError(name);
  }
  return parts;
}
