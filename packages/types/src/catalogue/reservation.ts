import { z } from "zod";
import { defineEventType } from "../event-types/define-event-type.ts";
import { day, identifier, shortText } from "./fields.ts";

/** The status of a reservation: in its state, in the read model and over HTTP. `PENDING` before it is made. */
export const reservationStatus = z.enum(["PENDING", "CONFIRMED", "CANCELLED"]);

/** The fields that events, commands and states of reservations share. */
export const reservationFields = {
  guestId: identifier,
  startDate: day,
  endDate: day.optional().describe("The last day; omitted for a reservation of one day."),
  resource: identifier.optional().describe("The reserved resource: a room, a table, a vehicle."),
  partySize: z.int().min(1).max(1_000_000).optional().describe("Number of people."),
};

/** The reason for changing or cancelling a reservation. */
export const reservationReason = shortText;

/** Events of a reservation. Stream: the reservation. */
export const reservationEventTypes = [
  defineEventType({
    name: "reservation.created",
    description: "A guest reserved something for one or more days.",
    schema: z.strictObject(reservationFields),
    example: {
      guestId: "guest-77",
      startDate: "2026-06-01",
      endDate: "2026-06-04",
      resource: "room-12",
      partySize: 2,
    },
  }),
  defineEventType({
    name: "reservation.rescheduled",
    description: "A reservation was moved to other days.",
    schema: z.strictObject({
      oldStartDate: day,
      newStartDate: day,
      oldEndDate: day.optional(),
      newEndDate: day.optional(),
      reason: reservationReason.optional(),
    }),
    example: { oldStartDate: "2026-06-01", newStartDate: "2026-06-08" },
  }),
  defineEventType({
    name: "reservation.cancelled",
    description: "A reservation was cancelled.",
    schema: z.strictObject({ reason: reservationReason }),
    example: { reason: "The guest fell ill" },
  }),
] as const;
