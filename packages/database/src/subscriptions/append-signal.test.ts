import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { APPENDS_CHANNEL, createAppendSignal } from "./append-signal.ts";

describeOnEveryEngine("the append signal", (engine) => {
  it("wakes readers at once, coalesces a hundred appends, and never misses the last one", async () => {
    const woken: number[] = [];
    const stop = await engine.database.listen(APPENDS_CHANNEL, () => woken.push(performance.now()));
    const signal = createAppendSignal(engine.database);
    for (let index = 0; index < 100; index++) {
      signal();
      if (index % 10 === 9) await new Promise((done) => setTimeout(done, 1));
    }
    const last = performance.now();
    signal();
    await expect.poll(() => woken.some((moment) => moment >= last)).toBe(true);
    expect(woken.length).toBeLessThan(50);
    await stop();
  });

  it("ignores an unavailable database, because the append was already confirmed", async () => {
    const signal = createAppendSignal({
      ...engine.database,
      query: () => Promise.reject(new Error("gone")),
    });
    signal();
    await new Promise((done) => setTimeout(done, 30));
    signal();
  });
});
