import { areInOrder, dayParameter, defineReadModel, NOT_IN_ORDER, nameParameter } from "@synap/handlers";
import { READ_MODEL_RESOURCES } from "@synap/types/http";
import { z } from "zod";
import { reservationsBetween, reservationsOfGuest } from "./reservations-projection.ts";

const parameters = z
  .strictObject({
    guest: nameParameter.optional().describe("Reservations of this guest, including cancelled ones."),
    from: dayParameter.optional().describe("Reservations that begin on this day or later."),
    to: dayParameter.optional().describe("Reservations that begin on this day or earlier."),
    resource: nameParameter.optional().describe("With from and to: reservations of this resource."),
  })
  .refine(({ from, to }) => (from === undefined) === (to === undefined), {
    path: ["from"],
    message: "and to must be given together",
  })
  .refine(({ guest, from }) => (guest === undefined) !== (from === undefined), {
    path: ["guest"],
    message: "must be given, or from and to, not both",
  })
  .refine(({ guest, resource }) => guest === undefined || resource === undefined, {
    path: ["resource"],
    message: "goes with from and to",
  })
  .refine(areInOrder, NOT_IN_ORDER);

/** Reservations over HTTP. */
export const reservationsReadModel = defineReadModel({
  path: "reservations",
  description: "Reservations of a guest, or of a range of days: give guest, or from and to. At most 1,000",
  parameters,
  answer: READ_MODEL_RESOURCES.Reservations,
  read: async (session, { guest, from = "", to = "", resource }) => ({
    reservations:
      guest !== undefined
        ? await reservationsOfGuest(session, guest)
        : await reservationsBetween(session, { from, to, resource }),
  }),
});
