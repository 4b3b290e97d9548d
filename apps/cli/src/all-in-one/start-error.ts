/** Synap can't start. The message is written for the person at the terminal. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly code: "PORT_IN_USE" | "INNGEST_UNAVAILABLE" | "DATABASE_UNAVAILABLE";

  constructor(code: StartError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
