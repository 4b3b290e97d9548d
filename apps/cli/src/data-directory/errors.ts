/** Thrown when a data directory can't be used. The command prints the message. */
export class DataDirectoryError extends Error {
  override readonly name = "DataDirectoryError";
  readonly code:
    | "DATA_DIRECTORY_IN_USE"
    | "DATA_DIRECTORY_NEWER"
    | "DATA_DIRECTORY_FOREIGN"
    | "DATA_DIRECTORY_UNUSABLE";

  constructor(code: DataDirectoryError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
