import { once } from "node:events";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../testing/index.ts";
import { notify } from "./observers.ts";

const throwing = () => {
  throw new Error("of the observer");
};

/** The message of the next warning of the process. */
async function warning(): Promise<unknown> {
  const [warned]: unknown[] = await once(process, "warning");
  return warned;
}

it.each([
  ["throws", throwing],
  ["rejects", () => Promise.reject(new Error("of the observer"))],
  ["throws what can't be read", () => throwUnreadable()],
])(
  "an observer that %s does not affect its caller, and causes a warning of the process",
  async (_, observer) => {
    const warned = warning();
    expect(() => notify(observer)).not.toThrow();
    expect(await warned).toMatchObject({ name: "ObserverError" });
  },
);

function throwUnreadable(): never {
  throw new Proxy({}, { get: throwing, getPrototypeOf: throwing });
}

describeOnEveryEngine("listeners on a channel", (engine) => {
  it("are called after one that throws, and stay registered", async () => {
    const { database } = engine;
    const heard: string[] = [];
    const stops = [
      await database.listen("observed", throwing),
      await database.listen("observed", (payload) => heard.push(payload)),
    ];
    for (const payload of ["one", "two"]) await database.query("SELECT pg_notify('observed', $1)", [payload]);
    await expect.poll(() => heard).toEqual(["one", "two"]);
    for (const stop of stops) await stop();
  });
});
