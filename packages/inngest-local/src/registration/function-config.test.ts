import { describe, expect, it } from "vitest";
import { readFunctionConfig } from "./function-config.ts";
import { FunctionRegistry } from "./function-registry.ts";

const base = {
  id: "app-fn",
  name: "fn",
  triggers: [{ event: "t/a" }],
  steps: {
    step: {
      id: "step",
      name: "step",
      runtime: { type: "http", url: "http://localhost:1/api/inngest?fnId=app-fn" },
    },
  },
};
const problems = (extra: object): string => {
  return readFunctionConfig({ ...base, ...extra }).problems?.join("\n") ?? "";
};

describe("readFunctionConfig", () => {
  it("reads what the SDK sends", () => {
    expect(readFunctionConfig({ ...base, concurrency: 3, idempotency: "event.data.k" }).config).toMatchObject(
      {
        id: "app-fn",
        maxAttempts: 5,
        concurrency: [{ limit: 3, scope: "fn" }],
        idempotency: "event.data.k",
        batch: undefined,
      },
    );
    expect(
      readFunctionConfig({
        ...base,
        concurrency: [{ limit: 2, key: "event.data.u", scope: "env" }, { limit: 0 }],
        batchEvents: { maxSize: 10, timeout: "2s", key: "event.data.u" },
        steps: { step: { ...base.steps.step, retries: { attempts: 0 } } },
      }).config,
    ).toMatchObject({
      maxAttempts: 1,
      concurrency: [{ limit: 2, key: "event.data.u", scope: "env" }],
      batch: { maxSize: 10, timeout: 2_000 },
    });
  });

  it.each(["throttle", "debounce", "rateLimit", "priority", "timeouts", "singleton", "somethingNew"])(
    "refuses %s, naming the function and the option",
    (option) => {
      expect(problems({ [option]: { limit: 1 } })).toMatch(
        new RegExp(`function "app-fn": the option "${option}"`),
      );
    },
  );

  it("refuses cancelOn, cron jitter and connect", () => {
    expect(problems({ cancel: [{ event: "t/stop" }] })).toMatch(/"cancelOn"/);
    expect(problems({ triggers: [{ cron: "* * * * *", jitter: "10s" }] })).toMatch(/"triggers.jitter"/);
    const step = { ...base.steps.step, runtime: { ...base.steps.step.runtime, type: "ws" } };
    expect(problems({ steps: { step } })).toMatch(/"steps.step.runtime.type"/);
  });

  it("refuses values that can't work", () => {
    expect(problems({ triggers: [{ event: "t/a", expression: "event.data ==" }] })).toMatch(
      /"triggers.if" is not a CEL/,
    );
    expect(problems({ triggers: [{ cron: "61 * * * *" }] })).toMatch(/"triggers.cron" is not a cron pattern/);
    expect(problems({ triggers: [{ cron: "TZ=Mars/City 1 * * * *" }] })).toMatch(/"triggers.cron"/);
    expect(problems({ batchEvents: { maxSize: 1, timeout: "2s" } })).toMatch(/"batchEvents.maxSize"/);
    expect(problems({ batchEvents: { maxSize: 2, timeout: "500ms" } })).toMatch(/"batchEvents.timeout"/);
    expect(problems({ concurrency: [{ limit: 1 }, { limit: 2 }, { limit: 3 }] })).toMatch(/"concurrency"/);
  });
});

describe("FunctionRegistry", () => {
  it("finds the functions of an event by exact name and by wildcard, each once", () => {
    const registry = new FunctionRegistry();
    const configs = [
      { ...base, id: "exact" },
      { ...base, id: "slash", triggers: [{ event: "t/*" }, { event: "t/a" }] },
      { ...base, id: "dot", triggers: [{ event: "t/a.*" }] },
    ].flatMap((fn) => readFunctionConfig(fn).config ?? []);
    registry.set({ name: "app", url: "", sdk: "", functions: "[]", registeredAt: 0, configs });
    const ids = (name: string) => registry.triggeredBy(name).map(({ config }) => config.id);
    expect(ids("t/a")).toEqual(["exact", "slash"]);
    expect(ids("t/a.b.c")).toEqual(["slash", "dot"]);
    expect(ids("t")).toEqual([]);
    expect(ids("t/")).toEqual([]);
    expect(ids("tt/a")).toEqual([]);
  });
});
