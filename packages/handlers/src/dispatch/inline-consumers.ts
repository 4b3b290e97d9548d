import type { InlineConsumer } from "@synap/database/internal";
import type { EventCatalogue } from "@synap/types";
import type { IEventHandler } from "../handler/event-handler.ts";
import { namesIn } from "../handler/handler-registry.ts";
import type { Projection } from "../projections/projection.ts";

/** Inline handlers and versions of projections in the form in which the database keeps them, with the types of `"all"` named. */
export function inlineConsumers(
  catalogue: EventCatalogue,
  consumers: readonly (Pick<IEventHandler, "name" | "eventTypes"> & Partial<Pick<Projection, "version">>)[],
): InlineConsumer[] {
  return consumers.map(({ name, version, eventTypes }) => ({
    name,
    version,
    eventTypes: eventTypes === "all" ? namesIn(catalogue) : eventTypes,
  }));
}
