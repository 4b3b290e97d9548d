/** Thrown when Synap can't start. The command prints the message. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly code: "PORT_IN_USE" | "INNGEST_UNAVAILABLE" | "DATABASE_UNAVAILABLE";

  constructor(code: StartError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
