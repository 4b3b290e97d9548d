import { deciderScenario } from "@synap/handlers/testing";
import { describe, it } from "vitest";
import { type ReservationEvent, reservationDecider } from "./reservation-decider.ts";

const created: ReservationEvent = {
  type: "reservation.created",
  data: { guestId: "guest-1", startDate: "2026-06-01", endDate: "2026-06-04", resource: "room-12" },
};
const cancelled: ReservationEvent = { type: "reservation.cancelled", data: { reason: "ill" } };
const reservation = deciderScenario(reservationDecider);

describe("a reservation", () => {
  it("is created once", () => {
    const create = { type: "create", data: { guestId: "guest-1", startDate: "2026-06-01" } } as const;
    reservation
      .when(create)
      .thenEvents({ type: "reservation.created", data: { guestId: "guest-1", startDate: "2026-06-01" } })
      .thenState({ status: "CONFIRMED", guestId: "guest-1", startDate: "2026-06-01" });
    reservation.given(created).when(create).thenRefused("already-created");
    reservation.given(created, cancelled).when(create).thenRefused("already-created");
  });

  it("does not end before it starts", () => {
    const data = { guestId: "guest-1", startDate: "2026-06-02", endDate: "2026-06-01" };
    reservation.when({ type: "create", data }).thenRefused("ends-before-it-starts");
    reservation
      .given(created)
      .when({ type: "reschedule", data: { startDate: "2026-07-02", endDate: "2026-07-01" } })
      .thenRefused("ends-before-it-starts");
  });

  it("keeps its length when only its start changes", () => {
    reservation
      .given(created)
      .when({ type: "reschedule", data: { startDate: "2026-06-29", reason: "late train" } })
      .thenEvents({
        type: "reservation.rescheduled",
        data: {
          oldStartDate: "2026-06-01",
          oldEndDate: "2026-06-04",
          newStartDate: "2026-06-29",
          newEndDate: "2026-07-02",
          reason: "late train",
        },
      })
      .thenState({
        status: "CONFIRMED",
        guestId: "guest-1",
        startDate: "2026-06-29",
        endDate: "2026-07-02",
        resource: "room-12",
      });
  });

  it("keeps its length up to 9999-12-31, and can't be rescheduled beyond it", () => {
    const move = (startDate: string) => ({ type: "reschedule", data: { startDate } }) as const;
    reservation.given(created).when(move("9999-12-28")).thenState({
      status: "CONFIRMED",
      guestId: "guest-1",
      startDate: "9999-12-28",
      endDate: "9999-12-31",
      resource: "room-12",
    });
    reservation.given(created).when(move("9999-12-29")).thenRefused("ends-after-9999");
  });

  it("is not rescheduled to its present days", () => {
    reservation
      .given(created)
      .when({ type: "reschedule", data: { startDate: "2026-06-01" } })
      .thenEvents();
  });

  it("is cancelled once", () => {
    const cancel = { type: "cancel", data: { reason: "ill" } } as const;
    reservation.given(created).when(cancel).thenEvents(cancelled);
    reservation.given(created, cancelled).when(cancel).thenRefused("already-cancelled");
    reservation.when(cancel).thenRefused("not-created");
  });

  it("can't be rescheduled unless it is confirmed", () => {
    const move = { type: "reschedule", data: { startDate: "2026-07-01" } } as const;
    reservation.when(move).thenRefused("not-created");
    reservation.given(created, cancelled).when(move).thenRefused("already-cancelled");
  });

  it("keeps the reason of its cancellation", () => {
    reservation.given(created).given(cancelled).isState({
      status: "CANCELLED",
      guestId: "guest-1",
      startDate: "2026-06-01",
      endDate: "2026-06-04",
      resource: "room-12",
      reason: "ill",
    });
  });
});
