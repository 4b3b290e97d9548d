import { deciderScenario } from "@synap/synap/testing";
import { describe, it } from "vitest";
import { order } from "../src/order.ts";

const customer = { customer: "ada", email: "ada@example.org" };
const lines = [{ article: "pump", quantity: 2, cents: 5999 }];
const placed = { type: "order.placed" as const, data: { ...customer, lines } };
const paid = { type: "order.paid" as const, data: { ...customer, cents: 11998 } };

describe("an order", () => {
  it("is paid in full", () => {
    deciderScenario(order)
      .given(placed)
      .when({ type: "pay", data: { cents: 11998 } })
      .thenEvents(paid);
  });

  it("is not paid in part", () => {
    deciderScenario(order)
      .given(placed)
      .when({ type: "pay", data: { cents: 1 } })
      .thenRefused("wrong-amount");
  });

  it("is placed once", () => {
    deciderScenario(order)
      .given(placed)
      .when({ type: "place", data: placed.data })
      .thenRefused("already-placed");
  });

  it("is cancelled until it is paid", () => {
    const cancel = { type: "cancel", data: { reason: "ordered twice" } } as const;
    deciderScenario(order)
      .given(placed)
      .when(cancel)
      .thenEvents({ type: "order.cancelled", data: cancel.data });
    deciderScenario(order).given(placed, paid).when(cancel).thenRefused("already-paid");
  });

  it("has to be placed before it is paid or cancelled", () => {
    deciderScenario(order)
      .when({ type: "pay", data: { cents: 0 } })
      .thenRefused("not-placed");
    deciderScenario(order)
      .when({ type: "cancel", data: { reason: "?" } })
      .thenRefused("not-placed");
  });
});
