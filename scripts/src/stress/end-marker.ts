import type { Database } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { END_MARKER, makeEvents, stressCatalogue } from "./stress-events.ts";

/** Appends a mark at the end of the run, for which every reader waits. Call it when nobody writes any more. */
export async function appendEndMarker(database: Database): Promise<void> {
  const store = createEventStore({ database, catalogue: stressCatalogue });
  await store.appendToStream(END_MARKER.stream, "any", makeEvents(END_MARKER.stream, 0, 1, END_MARKER.text));
}
