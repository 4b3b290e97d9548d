import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Mutex } from "./mutex.ts";

describe("Mutex", () => {
  it("runs one task at a time, in the order of the calls", async () => {
    const mutex = new Mutex();
    const log: string[] = [];
    const task = (name: string, turns: number) => async () => {
      for (let turn = 0; turn < turns; turn += 1) await nextTurn();
      log.push(name);
      return name;
    };
    const results = await Promise.all([
      mutex.runExclusive(task("slow", 20)),
      mutex.runExclusive(task("quick", 1)),
      mutex.runExclusive(task("last", 1)),
    ]);
    expect(log).toEqual(["slow", "quick", "last"]);
    expect(results).toEqual(["slow", "quick", "last"]);
  });

  it("continues after a failed task, and reports the error to its caller only", async () => {
    const mutex = new Mutex();
    const failing = mutex.runExclusive(() => Promise.reject(new Error("no luck")));
    const next = mutex.runExclusive(() => Promise.resolve("done"));
    await expect(failing).rejects.toThrow("no luck");
    await expect(next).resolves.toBe("done");
  });
});
