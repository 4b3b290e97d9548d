import type { EventTypesOf } from "../event-types/define-event-type.ts";
import { createEventCatalogue } from "../event-types/event-catalogue.ts";
import type { EventTypeName, SynapEventOf } from "../event-types/typed-events.ts";
import { agentEventTypes } from "./agent.ts";
import { customerEventTypes } from "./customer.ts";
import { dealerEventTypes } from "./dealer.ts";
import { invoiceEventTypes } from "./invoice.ts";
import { noteEventTypes } from "./note.ts";
import { openLoopEventTypes } from "./open-loop.ts";
import { orderEventTypes } from "./order.ts";
import { originalEventTypes } from "./original.ts";
import { paymentEventTypes } from "./payment.ts";
import { productEventTypes } from "./product.ts";
import { reservationEventTypes } from "./reservation.ts";
import { taskEventTypes } from "./task.ts";

/** The event types that come with Synap. Applications add their own with `seedCatalogue.extend([...])`. */
export const seedEventTypes = [
  ...productEventTypes,
  ...orderEventTypes,
  ...customerEventTypes,
  ...dealerEventTypes,
  ...agentEventTypes,
  ...noteEventTypes,
  ...invoiceEventTypes,
  ...paymentEventTypes,
  ...reservationEventTypes,
  ...taskEventTypes,
  ...openLoopEventTypes,
  ...originalEventTypes,
] as const;

/** The catalogue of the seed event types. */
export const seedCatalogue = createEventCatalogue(seedEventTypes);

/** The names of the seed event types. */
export type SeedEventTypeName = EventTypeName<typeof seedCatalogue>;

/** Every event of the seed catalogue: a union discriminated by `type`. */
export type SeedEvent = SynapEventOf<EventTypesOf<typeof seedEventTypes>>;

/** The seed catalogue's functions, for programs that use no other event types. */
export const { createSynapEvent, completeEvent, parseSynapEvent, safeParseSynapEvent, validateEventData } =
  seedCatalogue;
