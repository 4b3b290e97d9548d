import type { SynapEvent } from "../event/event.ts";
import { counted } from "../issues/counted.ts";
import type { EventIssue } from "../issues/event-issue.ts";

/** Thrown when a stored event is read whose data, at the current version, breaks the schema of its type, which asks for `parse`. */
export class StoredDataInvalidError extends Error {
  readonly code = "STORED_DATA_INVALID";
  override readonly name = "StoredDataInvalidError";
  readonly eventType: string;
  /** The version that the event was written with. */
  readonly schemaVersion: number;
  readonly eventId: string;
  /** JSON pointer to the first fault in the data. */
  readonly pointer: string;
  /** The faults, with paths that begin with `data`. */
  readonly issues: readonly EventIssue[];

  constructor(
    {
      id,
      type,
      schemaVersion = 1,
    }: Pick<SynapEvent, "id" | "type"> & { readonly schemaVersion?: number | undefined },
    pointer: string,
    issues: readonly EventIssue[],
  ) {
    const [first] = issues;
    const more = issues.length > 1 ? `, and ${counted(issues.length - 1, "further fault")}` : "";
    super(
      `Event ${id} of type "${type}" breaks the schema of its type: ${first?.path} ${first?.reason}${more}.`,
    );
    this.eventType = type;
    this.schemaVersion = schemaVersion;
    this.eventId = id;
    this.pointer = pointer;
    this.issues = issues;
  }
}
