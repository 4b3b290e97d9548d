import { expect } from "vitest";
import { type ContractHarness, keyOf } from "./contract-harness.ts";
import { until } from "./until.ts";

/** Steps, their memos and their failures. */
export function describeSteps(on: ContractHarness): void {
  on.check("runs each step once, over any number of calls", async () => {
    await on.send("steps", { k: "memo" });
    expect(await on.result("steps", "memo")).toMatchObject({ result: { a: { v: 1 }, b: 2, nothing: null } });
    expect([on.found("step a").length, on.found("step b").length]).toEqual([1, 1]);
    expect(on.found("steps called")).toHaveLength(2);
    const [a, b] = [on.found("step a")[0]?.at ?? 0, on.found("step b")[0]?.at ?? 0];
    expect(b - a).toBeGreaterThanOrEqual(950);
  });

  on.check("runs functions that don't save steps in the middle of a call", async () => {
    await on.send("classic");
    expect(await on.result("classic")).toMatchObject({ result: 3 });
    expect(on.app.calls.filter(({ functionId }) => functionId === `${on.tag}-classic`)).toHaveLength(3);
  });

  on.check("retries a failed step, and only that, with its own attempts", async () => {
    await on.send("flaky-step");
    expect(await on.result("flaky-step")).toMatchObject({ result: 2 });
    expect(on.found("sure step")).toHaveLength(1);
    expect(on.found("flaky step").map(({ details }) => details["attempt"])).toEqual([0, 1, 2]);
  });

  on.check("gives up after the last attempt and calls onFailure with the error and the event", async () => {
    await on.send("exhausted", { k: "given up" });
    const failure = await until("onFailure was called", () => on.found("onFailure").at(0));
    expect(on.found("exhausted").map(({ details }) => details["attempt"])).toEqual([0, 1]);
    expect(failure.details).toMatchObject({ message: "gave up at 1", event: { data: { k: "given up" } } });
    const [first, second] = on.found("exhausted");
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(on.retryDelay * 0.6);
    expect(await on.result("exhausted")).toMatchObject({
      _inngest: { status: "Failed" },
      error: { name: "Error", message: "gave up at 1", error: "NonRetriableError" },
    });
  });

  on.check("waits for the delay of a RetryAfterError", async () => {
    await on.send("retry-after");
    expect(await on.result("retry-after")).toMatchObject({ result: 1 });
    const [first, second] = on.found("retry-after");
    // The server rounds to whole seconds.
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(1_900);
  });

  on.check("doesn't retry a NonRetriableError", async () => {
    await on.send("never", { k: "never" });
    const failure = await until("onFailure was called", () => on.found("never failed").at(0));
    expect(on.found("never").map(({ details }) => details["attempt"])).toEqual([0]);
    expect(failure.details).toMatchObject({
      name: "NonRetriableError",
      message: "never again",
      event: { name: `${on.tag}/never`, data: { k: "never" } },
    });
    expect(failure.details["cause"]).toMatchObject({ message: "the cause" });
  });

  on.check("lets a function catch the error of a step that failed in all its attempts", async () => {
    await on.send("caught");
    expect(await on.result("caught")).toMatchObject({ result: "step is bad" });
  });

  on.check("sleeps until a date", async () => {
    await on.send("until");
    const { result: slept } = await on.result("until");
    // The server rounds dates to whole seconds.
    expect(slept).toBeGreaterThan(400);
  });

  on.check("accepts events that a step sends", async () => {
    await on.send("sender", { k: "sent" });
    expect(await on.result("sender")).toMatchObject({ result: 2 });
    await until(
      "both ran",
      () => on.found("plain", ({ event }) => String(keyOf(event)).startsWith("sent-")).length === 2,
    );
  });

  on.check("runs parallel steps once each and continues when all are done", async () => {
    await on.send("parallel");
    expect(await on.result("parallel")).toMatchObject({ result: ["p1b", 2, null, "after"] });
    expect(on.found("parallel step")).toHaveLength(2);
  });

  on.check("retries one of several parallel steps alone", async () => {
    await on.send("parallel-flaky");
    expect(await on.result("parallel-flaky")).toMatchObject({ result: ["good", "flaky 1"] });
    expect(on.found("parallel good")).toHaveLength(1);
  });
}
