import { z } from "zod";
import type { SynapEvent } from "./synap-event.ts";

/** The id of the Inngest app whose functions envelopes start. */
export const INNGEST_APP_ID = "synap";

/** The name of the Inngest event that carries SynapEvents. */
export const ENVELOPE_EVENT_NAME = "synap/events.published";

/** The most events one envelope may carry. */
export const MAX_ENVELOPE_EVENTS = 1000;

/** What the Inngest event's `data` holds: events on their way from the API to the store. */
export interface Envelope {
  readonly events: SynapEvent[];
}

// Whether each event is valid is asked once, at the store's door, event by event. Asking here would cost a whole
// envelope for one bad event, so an item only has to be an object; the store refuses the bad one by name.
const carriedEvent: z.ZodType<SynapEvent, SynapEvent> = z.custom<SynapEvent>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "must be an event",
);

/**
 * The envelope: 1 to 1,000 events. Its items are typed as events but only checked to be objects: hand them to the
 * event store, which validates every one by itself.
 */
export const envelopeSchema: z.ZodType<Envelope, Envelope> = z.object({
  events: z.array(carriedEvent).min(1).max(MAX_ENVELOPE_EVENTS),
});
