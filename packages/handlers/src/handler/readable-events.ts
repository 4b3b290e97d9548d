import type { PersonalData } from "@synap/database/internal";
import type { EventCatalogue, StoredEvent } from "@synap/types";

/**
 * Thrown when code is about to get an event that was written with a newer version of its type than the code knows: another release is
 * running already. The event is kept with its stream until a process that knows the version takes it.
 */
export class EventVersionNewerError extends Error {
  readonly code = "EVENT_VERSION_NEWER";
  override readonly name = "EventVersionNewerError";
  readonly eventId: string;
  readonly eventType: string;
  readonly schemaVersion: number;

  constructor(
    {
      id,
      type,
      schemaVersion = 1,
    }: Pick<StoredEvent, "id" | "type"> & { readonly schemaVersion?: number | undefined },
    known: number,
  ) {
    super(
      `Event ${id} has version ${schemaVersion} of "${type}", but this process knows it up to version ${known}: update it.`,
    );
    this.eventId = id;
    this.eventType = type;
    this.schemaVersion = schemaVersion;
  }
}

/** The part of a catalogue by which events are read. */
export type VersionedTypes = Pick<EventCatalogue, "get" | "isNewer" | "upcast">;

/** The same, and what opens personal values; absent where no event has any. */
export interface ReadableTypes extends VersionedTypes {
  readonly personalData?: Pick<PersonalData, "open"> | undefined;
}

/**
 * The events as code may read them: with data of the current versions of their types. Most are as they were stored, and the same
 * objects.
 *
 * @throws EventVersionNewerError, EventUpcastError, StoredDataInvalidError
 */
export function readableEvents(
  events: readonly StoredEvent[],
  catalogue: VersionedTypes,
): readonly StoredEvent[] {
  return events.map((event) => {
    if (catalogue.isNewer(event))
      throw new EventVersionNewerError(event, catalogue.get(event.type)?.version ?? 1);
    return catalogue.upcast(event);
  });
}
