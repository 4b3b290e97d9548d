/** Describes a connection failure. */
export function connectionFault(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") {
    return cause.code === "ECONNREFUSED"
      ? "nothing listens there (ECONNREFUSED)"
      : `no connection (${cause.code})`;
  }
  return cause instanceof Error ? cause.message : String(cause);
}
