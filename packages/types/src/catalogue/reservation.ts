import { z } from "zod";
import { defineEventType } from "../define-event-type.ts";
import { day, identifier, shortText } from "./fields.ts";

/** What happens to a reservation. Stream: the reservation. */
export const reservationEventTypes = [
  defineEventType({
    name: "reservation.created",
    description: "A guest reserved something for a day or several.",
    schema: z.strictObject({
      guestId: identifier,
      startDate: day,
      endDate: day.optional(),
      resource: identifier.optional().describe("What is reserved: a room, a table, a vehicle."),
      partySize: z.int().positive().optional(),
    }),
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
      reason: shortText.optional(),
    }),
    example: { oldStartDate: "2026-06-01", newStartDate: "2026-06-08" },
  }),
  defineEventType({
    name: "reservation.cancelled",
    description: "A reservation was called off.",
    schema: z.strictObject({ reason: shortText }),
    example: { reason: "The guest fell ill" },
  }),
] as const;
