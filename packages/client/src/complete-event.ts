import { uuidv7 } from "uuidv7";
import type { EventInput } from "./contract.ts";

/** Versions of event types, by name. */
export type SchemaVersions = Readonly<Record<string, number>>;

/** Adds an id to the event, by which the API recognises it when it is sent again, and the version that it was written for. */
export function complete<Input extends Pick<EventInput, "id" | "type" | "schemaVersion">>(
  event: Input,
  versions: SchemaVersions,
): Input & { readonly id: string } {
  const id = event.id ?? uuidv7();
  const schemaVersion = event.schemaVersion ?? versions[event.type];
  return { ...event, id, ...(schemaVersion !== undefined && { schemaVersion }) };
}
