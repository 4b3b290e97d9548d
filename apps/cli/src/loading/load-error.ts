/** Thrown when a load stops. The command prints the message. */
export class LoadError extends Error {
  override readonly name = "LoadError";
  readonly code:
    | "FILE_UNREADABLE"
    | "FILE_CHANGED"
    | "FILE_IN_USE"
    | "STATE_UNUSABLE"
    | "API_UNREACHABLE"
    | "NOT_ALLOWED"
    | "NOT_SYNAP";

  constructor(code: LoadError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
