/** Describes a connection failure. */
export function connectionFault(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") {
    const known: Readonly<Record<string, string>> = {
      ECONNREFUSED: "nothing listens there",
      ECONNRESET: "the connection broke",
      UND_ERR_SOCKET: "the connection broke",
      ENOTFOUND: "there is no host of this name",
      EAI_AGAIN: "the host's name can't be resolved",
    };
    return `${known[cause.code] ?? "no connection"} (${cause.code})`;
  }
  return cause instanceof Error ? cause.message : String(cause);
}
