/** An error as the SDK reports it, and as it is handed on. */
export interface RunError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: unknown;
}

/** Reads an error from whatever an app answered. */
export function readRunError(raw: unknown, otherwise: string): RunError {
  if (typeof raw !== "object" || raw === null) {
    return { name: "Error", message: typeof raw === "string" && raw !== "" ? raw : otherwise };
  }
  const fields: Record<string, unknown> = { ...raw };
  return {
    name: typeof fields["name"] === "string" ? fields["name"] : "Error",
    message: typeof fields["message"] === "string" ? fields["message"] : otherwise,
    ...(typeof fields["stack"] === "string" ? { stack: fields["stack"] } : {}),
    ...("cause" in fields ? { cause: fields["cause"] } : {}),
  };
}

/** The form in which another function sees the error: a failed step, a failure event. */
export function handedOnError(error: RunError): Record<string, unknown> {
  return { error: error.name === "Error" ? "NonRetriableError" : error.name, ...error };
}
