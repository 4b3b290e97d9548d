import { z } from "zod";
import { defineEventType } from "../event-types/define-event-type.ts";
import { changesOf, shortText } from "./fields.ts";

const address = z.strictObject({
  street: shortText,
  city: shortText,
  postalCode: shortText.optional(),
  country: z.string().regex(/^[A-Z]{2}$/, "must be an ISO 3166 code such as IN"),
});

/** Events of a customer account. Stream: the customer. */
export const customerEventTypes = [
  defineEventType({
    name: "customer.registered",
    description: "Somebody opened a customer account.",
    schema: z.strictObject({
      name: shortText,
      email: z.email(),
      phone: shortText.optional(),
      address: address.optional(),
    }),
    example: {
      name: "Asha Rao",
      email: "asha@example.org",
      address: { street: "12 Lake Road", city: "Pune", postalCode: "411001", country: "IN" },
    },
  }),
  defineEventType({
    name: "customer.profile_updated",
    description: "A customer's details were changed.",
    schema: z.strictObject({
      changes: changesOf({
        name: shortText.optional(),
        email: z.email().optional(),
        phone: shortText.nullable().optional(),
        address: address.nullable().optional(),
      }),
    }),
    example: { changes: { email: "asha.rao@example.org", phone: null } },
  }),
] as const;
