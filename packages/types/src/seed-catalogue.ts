import { agentEventTypes } from "./catalogue/agent.ts";
import { customerEventTypes } from "./catalogue/customer.ts";
import { dealerEventTypes } from "./catalogue/dealer.ts";
import { invoiceEventTypes } from "./catalogue/invoice.ts";
import { noteEventTypes } from "./catalogue/note.ts";
import { openLoopEventTypes } from "./catalogue/open-loop.ts";
import { orderEventTypes } from "./catalogue/order.ts";
import { paymentEventTypes } from "./catalogue/payment.ts";
import { productEventTypes } from "./catalogue/product.ts";
import { reservationEventTypes } from "./catalogue/reservation.ts";
import { taskEventTypes } from "./catalogue/task.ts";
import type { EventTypesOf } from "./define-event-type.ts";
import { createEventCatalogue } from "./event-catalogue.ts";
import type { EventTypeName, SynapEventOf } from "./typed-events.ts";

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
