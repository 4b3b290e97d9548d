import type { StoredEvent } from "@synap/types";
import { isTransientFailure } from "../handler/handler-errors.ts";
import { type ReadableTypes, readableEvents } from "../handler/readable-events.ts";
import type { FailedEvent } from "./held-events.ts";
import type { Sink } from "./sink.ts";

/** The part of a catalogue by which events are read for sinks, and what masks or opens personal values. */
export interface ShownTypes extends ReadableTypes {
  readonly mask?: ((event: StoredEvent) => StoredEvent) | undefined;
}

/**
 * The events with personal values masked, or opened for a sink that asks for it; or the first one that can't be read at the current version of
 * its type.
 *
 * @throws KeyProviderError, DatabaseUnavailableError, EventVersionNewerError
 */
export async function showTo(
  { opensPersonalData }: Pick<Sink, "opensPersonalData">,
  events: readonly StoredEvent[],
  types: ShownTypes,
): Promise<{ readonly readable: readonly StoredEvent[]; readonly unreadable?: FailedEvent }> {
  const { personalData, mask = (event) => event } = types;
  const shown =
    opensPersonalData && personalData !== undefined ? await personalData.open(events) : events.map(mask);
  for (const [index, event] of events.entries()) {
    try {
      readableEvents(shown.slice(index, index + 1), types);
    } catch (error) {
      if (isTransientFailure(error)) throw error;
      return { readable: [], unreadable: { event, error } };
    }
  }
  return { readable: shown };
}
