/** The isolation and the access of a transaction. Default: read committed, and what the session has. */
export interface TransactionMode {
  readonly isolationLevel?: "read uncommitted" | "read committed" | "repeatable read" | "serializable";
  readonly accessMode?: "read only" | "read write";
  readonly deferrable?: boolean;
}

/** Formats a statement that sets the mode of the open transaction, before its first query; undefined where nothing is to be set. */
export function setTransaction({
  isolationLevel,
  accessMode,
  deferrable,
}: TransactionMode = {}): string | undefined {
  const parts = [
    ...(isolationLevel === undefined ? [] : [`ISOLATION LEVEL ${isolationLevel}`]),
    ...(accessMode === undefined ? [] : [accessMode]),
    ...(deferrable === undefined ? [] : [deferrable ? "DEFERRABLE" : "NOT DEFERRABLE"]),
  ];
  return parts.length === 0 ? undefined : `SET TRANSACTION ${parts.join(" ")}`;
}
