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
  it("reads the SDK's format", () => {
    expect(readFunctionConfig({ ...base, concurrency: 3 }).config).toMatchObject({
      id: "app-fn",
      maxAttempts: 5,
      concurrency: 3,
    });
    expect(
      readFunctionConfig({
        ...base,
        concurrency: [{ limit: 2, scope: "fn" }],
        steps: { step: { ...base.steps.step, retries: { attempts: 0 } } },
      }).config,
    ).toMatchObject({ maxAttempts: 1, concurrency: 2 });
    expect(readFunctionConfig({ ...base, concurrency: { limit: 0 } }).config?.concurrency).toBeUndefined();
  });

  it.each([
    "batchEvents",
    "debounce",
    "idempotency",
    "priority",
    "rateLimit",
    "singleton",
    "somethingNew",
    "throttle",
    "timeouts",
  ])("refuses %s, naming the function and the option", (option) => {
    expect(problems({ [option]: { limit: 1 } })).toMatch(
      new RegExp(`function "app-fn": the option "${option}"`),
    );
  });

  it("refuses cancelOn, cron jitter and connect", () => {
    expect(problems({ cancel: [{ event: "t/stop" }] })).toMatch(/"cancelOn"/);
    expect(problems({ triggers: [{ cron: "* * * * *", jitter: "10s" }] })).toMatch(/"triggers.jitter"/);
    const step = { ...base.steps.step, runtime: { ...base.steps.step.runtime, type: "ws" } };
    expect(problems({ steps: { step } })).toMatch(/"steps.step.runtime.type"/);
  });

  it("refuses invalid values", () => {
    expect(problems({ triggers: [{ event: "t/a", expression: "event.data ==" }] })).toMatch(
      /"triggers.if" is not a CEL/,
    );
    expect(problems({ triggers: [{ cron: "61 * * * *" }] })).toMatch(/"triggers.cron" is not a cron pattern/);
    expect(problems({ triggers: [{ cron: "TZ=Mars/City 1 * * * *" }] })).toMatch(/"triggers.cron"/);
    expect(problems({ concurrency: { limit: 1, key: "event.data.u" } })).toMatch(/"concurrency/);
    expect(problems({ concurrency: [{ limit: 1, scope: "env" }] })).toMatch(/"concurrency/);
    expect(problems({ concurrency: [{ limit: 1 }, { limit: 2 }] })).toMatch(/"concurrency"/);
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
