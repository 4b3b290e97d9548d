import { z } from "zod";
import type { SynapEvent } from "./synap-event.ts";

/** The id of the Inngest app whose functions receive envelopes. */
export const INNGEST_APP_ID = "synap";

/** The name of the Inngest event that carries SynapEvents. */
export const ENVELOPE_EVENT_NAME = "synap/events.published";

/** Maximum number of events in an envelope. */
export const MAX_ENVELOPE_EVENTS = 1000;

/** The `data` of the Inngest event: events on their way from the API to the store. */
export interface Envelope {
  readonly events: SynapEvent[];
}

// The store validates each event. Validating here would refuse a whole
// envelope for one bad event, so an item only has to be an object; the store refuses the bad one alone.
const carriedEvent: z.ZodType<SynapEvent, SynapEvent> = z.custom<SynapEvent>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "must be an event",
);

/**
 * The schema of an envelope: 1 to 1,000 events. Its items are typed as events but only checked to be objects: pass them to the
 * event store, which validates each one.
 */
export const envelopeSchema: z.ZodType<Envelope, Envelope> = z.object({
  events: z.array(carriedEvent).min(1).max(MAX_ENVELOPE_EVENTS),
});
