import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const caller = new AsyncLocalStorage<object>();
const CALLS = 50;

/** Makes calls, each with a separate caller, and counts the callers that are still in memory once all have ended. */
async function callersKept(call: () => Promise<unknown>): Promise<number> {
  const callers: WeakRef<object>[] = [];
  for (let made = 0; made < CALLS; made += 1) {
    const one = { made };
    callers.push(new WeakRef(one));
    await caller.run(one, call);
  }
  // A WeakRef keeps its target until the turn in which it was made or read has ended.
  for (let turns = 0; turns < 5; turns += 1) {
    await turn();
    collectGarbage();
  }
  return callers.filter((one) => one.deref() !== undefined).length;
}

describeOnEveryEngine("a call that has ended", (engine) => {
  // References of a driver or a pool to the last calls are no leak; references to every call are one.
  const FEW = CALLS / 5;

  it("is not kept in memory after a query", async () => {
    expect(await callersKept(() => engine.database.query("SELECT 1 AS one"))).toBeLessThan(FEW);
  });

  it("is not kept in memory after a transaction", async () => {
    const work = () => engine.database.transaction((transaction) => transaction.query("SELECT 1 AS one"));
    expect(await callersKept(work)).toBeLessThan(FEW);
  });

  it("is not kept in memory after a statement that failed", async () => {
    const work = () => engine.database.query("SELECT 1 / 0").catch(() => undefined);
    expect(await callersKept(work)).toBeLessThan(FEW);
  });
});
