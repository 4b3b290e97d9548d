import { z } from "zod";
import { defineEventType, seedCatalogue } from "../src/index.ts";

/** The seeded catalogue and one type more, `parcel.sent`: what an updated process knows and one that is not yet updated does not. */
export const newerCatalogue = seedCatalogue.extend([
  defineEventType({
    name: "parcel.sent",
    description: "A parcel was handed to the carrier.",
    schema: z.strictObject({ weight: z.number() }),
    example: { weight: 2 },
  }),
]);

/** An event of the type that only the newer catalogue has, of an aggregate of its own. */
export function parcelSent() {
  return newerCatalogue.createSynapEvent({
    type: "parcel.sent",
    aggregateId: crypto.randomUUID(),
    data: { weight: 2 },
  });
}
