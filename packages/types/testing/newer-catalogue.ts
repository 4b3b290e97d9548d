import { z } from "zod";
import { defineEventType, seedCatalogue } from "../src/index.ts";

/** The seed catalogue and one more type, `parcel.sent`, that an updated process knows and an old one does not. */
export const newerCatalogue = seedCatalogue.extend([
  defineEventType({
    name: "parcel.sent",
    description: "A parcel was handed to the carrier.",
    schema: z.strictObject({ weight: z.number() }),
    example: { weight: 2 },
  }),
]);

/** Creates an event of the type that only the newer catalogue has, for a new aggregate. */
export function parcelSent() {
  return newerCatalogue.createSynapEvent({
    type: "parcel.sent",
    aggregateId: crypto.randomUUID(),
    data: { weight: 2 },
  });
}
