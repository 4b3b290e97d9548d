import { randomUUID } from "node:crypto";
import { type SynapEvent, seedCatalogue } from "@synap/types";

/** A sound event for tests; everything but what the test is about is filled in. */
export function noteEvent(about: Partial<SynapEvent> = {}): SynapEvent {
  const base = seedCatalogue.createSynapEvent({
    type: "note.creation.requested",
    aggregateId: randomUUID(),
    data: { content: "Call Acme" },
  });
  return { ...base, ...about };
}

/** So many of them, in one stream or as `about` says. */
export function noteEvents(
  count: number,
  about: (index: number) => Partial<SynapEvent> = () => ({}),
): SynapEvent[] {
  return Array.from({ length: count }, (_, index) => noteEvent(about(index)));
}
