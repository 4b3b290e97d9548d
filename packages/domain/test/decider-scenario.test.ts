import { deciderScenario } from "@synap/handlers/testing";
import { describe, expect, it } from "vitest";
import { reservationDecider } from "../src/reservations/reservation-decider.ts";

const created = { type: "reservation.created", data: { guestId: "g", startDate: "2026-06-01" } } as const;
const cancel = { type: "cancel", data: { reason: "ill" } } as const;
const given = deciderScenario(reservationDecider).given(created);

describe("deciderScenario", () => {
  it("fails when something else was decided", () => {
    expect(() => given.when(cancel).thenEvents()).toThrow("Expected values to be strictly deep-equal");
    expect(() => given.when(cancel).thenState({ status: "PENDING" })).toThrow("strictly deep-equal");
    expect(() => given.isState({ status: "PENDING" })).toThrow("strictly deep-equal");
  });

  it("fails when what should be refused is not, and the other way round", () => {
    expect(() => given.when(cancel).thenRefused("not-created")).toThrow("not refused");
    expect(() => deciderScenario(reservationDecider).when(cancel).thenRefused("other")).toThrow(
      "not-created",
    );
    expect(() => deciderScenario(reservationDecider).when(cancel).thenEvents()).toThrow(
      "The command was refused",
    );
  });

  it("fails when an event or a command does not satisfy its schema", () => {
    const invalid = { type: "reservation.created", data: { guestId: "", startDate: "soon" } } as const;
    expect(() => deciderScenario(reservationDecider).given(invalid)).toThrow("startDate");
    expect(() => given.when({ type: "cancel", data: { reason: "" } })).toThrow("reason");
  });
});
