import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { PassTurns } from "./pass-turns.ts";

describe("turns of passes", () => {
  it("runs one pass at a time, in the order in which they were asked for", async () => {
    const turns = new PassTurns();
    const log: string[] = [];
    const pass = (name: string, turnsTaken: number) => async () => {
      for (let turn = 0; turn < turnsTaken; turn += 1) await nextTurn();
      log.push(name);
      return name;
    };
    const answers = await Promise.all([
      turns.take(pass("slow", 20)),
      turns.take(pass("quick", 1)),
      turns.take(pass("last", 1)),
    ]);
    expect(log).toEqual(["slow", "quick", "last"]);
    expect(answers).toEqual(["slow", "quick", "last"]);
  });

  it("continues after a failed pass, and reports the error to its caller only", async () => {
    const turns = new PassTurns();
    const failing = turns.take(() => Promise.reject(new Error("no luck")));
    const next = turns.take(() => Promise.resolve("done"));
    await expect(failing).rejects.toThrow("no luck");
    await expect(next).resolves.toBe("done");
  });
});
