/** Thrown when an import stops. The command prints the message. */
export class ImportError extends Error {
  override readonly name = "ImportError";
  readonly code:
    | "FILE_UNREADABLE"
    | "FILE_CHANGED"
    | "STATE_UNUSABLE"
    | "API_UNREACHABLE"
    | "NOT_ALLOWED"
    | "NOT_SYNAP";

  constructor(code: ImportError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
