import { CommandRefusedError, type DecidedEventOf, defineDecider } from "@synap/handlers";
import { reservationEventTypes, reservationFields, reservationReason, reservationStatus } from "@synap/types";
import { z } from "zod";

const { startDate } = reservationFields;
const reason = reservationReason;

export type ReservationStatus = z.output<typeof reservationStatus>;

/** The schema of a reservation's state. */
export const reservationState = z.discriminatedUnion("status", [
  z.strictObject({ status: z.literal(reservationStatus.enum.PENDING) }),
  z.strictObject({ status: z.literal(reservationStatus.enum.CONFIRMED), ...reservationFields }),
  z.strictObject({ status: z.literal(reservationStatus.enum.CANCELLED), ...reservationFields, reason }),
]);

export type ReservationState = z.output<typeof reservationState>;

/** The events of reservations. */
export type ReservationEvent = DecidedEventOf<typeof reservationEventTypes>;

/** The rule that forbids a command. */
export type ReservationRule =
  | "already-created"
  | "not-created"
  | "already-cancelled"
  | "ends-before-it-starts"
  | "ends-after-9999";

/**
 * The rules of reservations, as an example of an aggregate. A reservation is created once, can be rescheduled until it is
 * cancelled, and can be cancelled once. It keeps its length if only its start changes.
 */
export const reservationDecider = defineDecider({
  name: "reservation",
  description: "A guest's reservation for one or more days.",
  events: reservationEventTypes,
  commands: {
    create: z.strictObject(reservationFields).describe("Creates a reservation for a guest."),
    reschedule: z
      .strictObject({
        startDate,
        endDate: startDate.optional().describe("Default: the same number of days as before."),
        reason: reason.optional(),
      })
      .describe("Moves the reservation to other days."),
    cancel: z.strictObject({ reason }).describe("Cancels the reservation."),
  },
  state: reservationState,
  initialState: { status: "PENDING" },

  evolve(state, event): ReservationState {
    switch (event.type) {
      case "reservation.created":
        return { status: "CONFIRMED", ...event.data };
      case "reservation.rescheduled": {
        if (state.status !== "CONFIRMED") return state;
        const { endDate: _, ...rest } = state;
        const { newStartDate: startDate, newEndDate: endDate } = event.data;
        return { ...rest, startDate, ...(endDate !== undefined && { endDate }) };
      }
      case "reservation.cancelled":
        return state.status === "CONFIRMED"
          ? { ...state, status: "CANCELLED", reason: event.data.reason }
          : state;
    }
  },

  decide(command, state): readonly ReservationEvent[] {
    switch (command.type) {
      case "create": {
        if (state.status !== "PENDING") refuse("already-created", "The reservation already exists.");
        checkOrder(command.data.startDate, command.data.endDate);
        return [{ type: "reservation.created", data: command.data }];
      }
      case "reschedule": {
        const current = requireConfirmed(state);
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
        requireConfirmed(state);
        return [{ type: "reservation.cancelled", data: command.data }];
      }
    }
  },
});

type Confirmed = Extract<ReservationState, { status: "CONFIRMED" }>;

function requireConfirmed(state: ReservationState): Confirmed {
  if (state.status === "PENDING") return refuse("not-created", "The reservation does not exist.");
  if (state.status === "CANCELLED")
    return refuse("already-cancelled", "The reservation is already cancelled.");
  return state;
}

function checkOrder(startDate: string, endDate: string | undefined): void {
  // Text order is time order for YYYY-MM-DD.
  if (endDate !== undefined && endDate < startDate) {
    refuse("ends-before-it-starts", "The last day of a reservation must not be before its first day.");
  }
}

function sameLength({ startDate, endDate }: Confirmed, newStartDate: string): string | undefined {
  if (endDate === undefined) return undefined;
  const length = Date.parse(endDate) - Date.parse(startDate);
  const newEndDate = new Date(Date.parse(newStartDate) + length).toISOString();
  // Later years are written with a sign and six digits.
  if (newEndDate.startsWith("+")) {
    refuse("ends-after-9999", "With its present length, the reservation would end after 9999-12-31.");
  }
  return newEndDate.slice(0, 10);
}

function refuse(rule: ReservationRule, reason: string): never {
  throw new CommandRefusedError(rule, reason);
}
