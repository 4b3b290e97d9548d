import { randomUUID } from "node:crypto";
import { type SynapEvent, seedCatalogue } from "@synap/types";

/** Creates a valid event with defaults for all fields. */
export function noteEvent(about: Partial<SynapEvent> = {}): SynapEvent {
  const base = seedCatalogue.createSynapEvent({
    type: "note.creation.requested",
    aggregateId: randomUUID(),
    data: { content: "Call Acme" },
  });
  return { ...base, ...about };
}

/** Creates `count` events, in one stream unless `about` returns other fields. */
export function noteEvents(
  count: number,
  about: (index: number) => Partial<SynapEvent> = () => ({}),
): SynapEvent[] {
  return Array.from({ length: count }, (_, index) => noteEvent(about(index)));
}
