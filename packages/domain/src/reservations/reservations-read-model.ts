import { defineReadModel } from "@synap/handlers";
import { READ_MODEL_REQUESTS, READ_MODEL_RESOURCES } from "@synap/types/http";
import { reservationsBetween, reservationsOfGuest } from "./reservations-projection.ts";

/** Reservations over HTTP. */
export const reservationsReadModel = defineReadModel({
  path: "reservations",
  description: "Reservations of a guest, or of a range of days: pass guest, or from and to. At most 1,000",
  parameters: READ_MODEL_REQUESTS.reservations.query,
  response: READ_MODEL_RESOURCES.Reservations,
  read: async (session, { guest, from = "", to = "", resource }) => ({
    reservations:
      guest !== undefined
        ? await reservationsOfGuest(session, guest)
        : await reservationsBetween(session, { from, to, resource }),
  }),
});
