import { reservationEventTypes } from "@synap/types";
import { z } from "zod";
import { CommandRefusedError } from "../aggregates/aggregate-errors.ts";
import type { DecidedEventOf } from "../aggregates/decider.ts";
import { defineDecider } from "../aggregates/define-decider.ts";

const day = z.iso.date();
const name = z.string().min(1).max(128);
const reason = z.string().min(1).max(500);

const reserved = {
  guestId: name,
  startDate: day,
  /** The last day; missing for a reservation of one day. */
  endDate: day.optional(),
  resource: name.optional(),
  partySize: z.int().positive().optional(),
};

/** What a reservation is at a moment. */
export const reservationState = z.discriminatedUnion("status", [
  z.strictObject({ status: z.literal("none") }),
  z.strictObject({ status: z.literal("confirmed"), ...reserved }),
  z.strictObject({ status: z.literal("cancelled"), ...reserved, reason }),
]);

export type ReservationState = z.output<typeof reservationState>;

/** What happens to reservations. */
export type ReservationEvent = DecidedEventOf<typeof reservationEventTypes>;

/** Which rule of reservations forbids a command. */
export type ReservationRule =
  | "already-created"
  | "not-created"
  | "already-cancelled"
  | "ends-before-it-starts";

/**
 * The rules of reservations, and the example of what an aggregate is: a reservation is made once, can be moved while it
 * stands, keeps its length when only its start is moved, and can be called off once.
 */
export const reservationDecider = defineDecider({
  name: "reservation",
  description: "A guest's reservation of something for a day or several.",
  events: reservationEventTypes,
  commands: {
    create: z
      .strictObject({
        ...reserved,
        endDate: day.optional().describe("The last day. Default: the first."),
        resource: name.optional().describe("What is reserved: a room, a table, a vehicle."),
      })
      .describe("Reserves something for a guest."),
    reschedule: z
      .strictObject({
        startDate: day,
        endDate: day.optional().describe("Default: as many days as before."),
        reason: reason.optional(),
      })
      .describe("Moves the reservation to other days."),
    cancel: z.strictObject({ reason }).describe("Calls the reservation off."),
  },
  state: reservationState,
  initialState: { status: "none" },

  evolve(state, event): ReservationState {
    switch (event.type) {
      case "reservation.created":
        return { status: "confirmed", ...event.data };
      case "reservation.rescheduled": {
        if (state.status !== "confirmed") return state;
        const { endDate: _, ...rest } = state;
        const { newStartDate: startDate, newEndDate: endDate } = event.data;
        return { ...rest, startDate, ...(endDate !== undefined && { endDate }) };
      }
      case "reservation.cancelled":
        return state.status === "confirmed"
          ? { ...state, status: "cancelled", reason: event.data.reason }
          : state;
    }
  },

  decide(command, state): readonly ReservationEvent[] {
    switch (command.type) {
      case "create": {
        if (state.status !== "none") refuse("already-created", "The reservation has been made before.");
        checkOrder(command.data.startDate, command.data.endDate);
        return [{ type: "reservation.created", data: command.data }];
      }
      case "reschedule": {
        const current = standing(state);
        const { startDate, reason } = command.data;
        const endDate = command.data.endDate ?? sameLength(current, startDate);
        checkOrder(startDate, endDate);
        if (startDate === current.startDate && endDate === current.endDate) return [];
        return [
          {
            type: "reservation.rescheduled",
            data: {
              oldStartDate: current.startDate,
              newStartDate: startDate,
              ...(current.endDate !== undefined && { oldEndDate: current.endDate }),
              ...(endDate !== undefined && { newEndDate: endDate }),
              ...(reason !== undefined && { reason }),
            },
          },
        ];
      }
      case "cancel": {
        standing(state);
        return [{ type: "reservation.cancelled", data: command.data }];
      }
    }
  },
});

type Confirmed = Extract<ReservationState, { status: "confirmed" }>;

function standing(state: ReservationState): Confirmed {
  if (state.status === "none") return refuse("not-created", "There is no such reservation.");
  if (state.status === "cancelled")
    return refuse("already-cancelled", "The reservation has been called off.");
  return state;
}

function checkOrder(startDate: string, endDate: string | undefined): void {
  // Days are written so that text order is time order.
  if (endDate !== undefined && endDate < startDate) {
    refuse("ends-before-it-starts", "The last day of a reservation is not before its first.");
  }
}

function sameLength({ startDate, endDate }: Confirmed, newStartDate: string): string | undefined {
  if (endDate === undefined) return undefined;
  const length = Date.parse(endDate) - Date.parse(startDate);
  return new Date(Date.parse(newStartDate) + length).toISOString().slice(0, 10);
}

function refuse(rule: ReservationRule, reason: string): never {
  throw new CommandRefusedError(rule, reason);
}
