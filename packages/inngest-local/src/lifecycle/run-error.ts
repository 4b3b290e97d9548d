/** An error as the SDK reports it. */
export interface RunError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: unknown;
}

/** Reads an error from an app's response. @param fallback the message when the response has none */
export function readRunError(raw: unknown, fallback: string): RunError {
  if (typeof raw !== "object" || raw === null) {
    return { name: "Error", message: typeof raw === "string" && raw !== "" ? raw : fallback };
  }
  const fields: Record<string, unknown> = { ...raw };
  return {
    name: typeof fields["name"] === "string" ? fields["name"] : "Error",
    message: typeof fields["message"] === "string" ? fields["message"] : fallback,
    ...(typeof fields["stack"] === "string" ? { stack: fields["stack"] } : {}),
    ...("cause" in fields ? { cause: fields["cause"] } : {}),
  };
}

/** Formats an error for other functions: in a failed step or a failure event. */
export function serializeError(error: RunError): Record<string, unknown> {
  return { error: error.name === "Error" ? "NonRetriableError" : error.name, ...error };
}
