import type { EventCatalogue, StoredEvent } from "@synap/types";
import { EventUpcastError, StoredDataInvalidError } from "@synap/types";
import { judgeByCode } from "./judge-by-code.ts";

/** A stored event that can't be read at the current version of its type. */
export interface StoredEventFault {
  readonly id: string;
  readonly schemaVersion: number;
  /** JSON pointer into the data at the current version. */
  readonly pointer: string;
  readonly reason: string;
}

/** Longest reason, in characters. */
const MAX_REASON = 300;

/**
 * Reads a stored event as code does, through the steps of its type, and validates what comes out against the current schema. Undefined if
 * nothing is wrong with it. The fault names fields and no values, but for what a step says as it throws.
 */
export function checkStoredEvent(
  catalogue: Pick<EventCatalogue, "get" | "upcast" | "isNewer">,
  event: StoredEvent,
): StoredEventFault | undefined {
  const { id, type, schemaVersion = 1 } = event;
  const fault = (pointer: string, reason: string): StoredEventFault => ({
    id,
    schemaVersion,
    pointer,
    reason: reason.length > MAX_REASON ? `${reason.slice(0, MAX_REASON)}…` : reason,
  });
  const definition = catalogue.get(type);
  if (definition === undefined) return fault("", "the code doesn't have its type");
  if (catalogue.isNewer(event)) return fault("", `the code's newest version is ${definition.version}`);
  try {
    const verdict = judgeByCode(definition.schema, catalogue.upcast(event).data);
    return verdict.accepted ? undefined : fault(verdict.pointer, verdict.reason);
  } catch (error) {
    if (error instanceof StoredDataInvalidError)
      return fault(error.pointer, error.issues[0]?.reason ?? error.message);
    if (!(error instanceof EventUpcastError)) throw error;
    return fault("", `its ${error.message.replace(/^.*?can't be read: its /, "")}`);
  }
}
